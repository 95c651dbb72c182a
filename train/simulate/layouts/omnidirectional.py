"""The camera model of C3VD: rays along (x, y, polynomial of the radius).

Scaramuzza, Martinelli, Siegwart, "A toolbox for easily calibrating omnidirectional cameras",
IROS 2006: a pixel (u, v) lies at (u - cx, v - cy) = [[c, d], [e, 1]] q, and looks along
(q, a0 + a2 ρ² + a3 ρ³ + a4 ρ⁴) with ρ = |q| in pixels. Every camera that is the same in all
directions around its axis is close to one; with a2 = a3 = a4 = 0 it is a pinhole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.camera import Camera, Floats

_NAMES = ("cx", "cy", "a0", "a2", "a3", "a4", "c", "d", "e")


@dataclass(frozen=True, slots=True)
class Omnidirectional(Camera):
    """Focal lengths are a0; polynomial and stretch are kept at focal length 1."""

    bend: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """a2, a3, a4 times a0, a0², a0³: without unit, whatever the number of pixels."""
    stretch: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """c, d, e."""

    model: ClassVar[str] = "omnidirectional"

    @classmethod
    def of(cls, camera: Camera) -> Omnidirectional:
        """The nearest such camera, by least squares in pixels over what the other one sees.

        Exact for a pinhole. Four coefficients cannot follow the border of a colonoscope's
        fisheye, which ends almost flat: `misfit_px` says how far off they are.
        """
        v, u = np.nonzero(camera.sees())
        reach = np.hypot((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy).max()
        rho = np.linspace(reach / 400, reach, 400)
        rays = camera.directions(rho, np.zeros_like(rho))
        angle = np.arctan2(rays[:, 0], rays[:, 2])
        # How fast the polynomial's residual moves a point, so that the fit is one in pixels; the
        # root of the radius counts every pixel once.
        weight = np.sqrt(rho) * np.sin(angle) ** 2 / (rho * np.gradient(angle, rho))
        terms = np.stack([np.ones_like(rho), rho**2, rho**3, rho**4], axis=1)
        solved = np.linalg.lstsq(terms * weight[:, None], rho / np.tan(angle) * weight)[0]
        a0, a2, a3, a4 = (float(value) for value in solved)
        focal = float(camera.fy * a0)
        return cls(
            camera.width, camera.height, focal, focal, camera.cx, camera.cy,
            (a2 * a0, a3 * a0**2, a4 * a0**3), (float(camera.fx / camera.fy), 0.0, 0.0),
        )  # fmt: skip

    def misfit_px(self, camera: Camera) -> float:
        """Root mean square distance, in pixels, of where the two cameras see the same point."""
        v, u = np.nonzero(camera.sees())
        found = self.project(camera.rays()[camera.sees()])
        return float(np.sqrt(np.mean(np.sum((found - np.stack([u, v], axis=1)) ** 2, axis=1))))

    def directions(self, x: Floats, y: Floats) -> Floats:
        """Undo the stretch, then evaluate the polynomial."""
        across = np.stack([x, y], axis=-1) @ np.linalg.inv(self._stretched()).T
        rho = np.linalg.norm(across, axis=-1)
        rays = np.concatenate([across, self._height(rho)[..., None]], axis=-1)
        return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))

    def plane(self, points: Floats) -> Floats:
        """Newton's method for the radius at which the polynomial meets the point's direction."""
        across = np.maximum(np.hypot(points[:, 0], points[:, 1]), 1e-12)
        b2, b3, b4 = self.bend
        rho = np.arctan2(across, points[:, 2])
        for _ in range(20):
            gap = self._height(rho) * across - points[:, 2] * rho
            slope = (rho * (2 * b2 + rho * (3 * b3 + rho * 4 * b4))) * across - points[:, 2]
            rho = np.clip(rho - gap / np.where(np.abs(slope) > 1e-9, slope, -1e-9), 0, 1e3)
        radial = points[:, :2] * (rho / across)[:, None]
        return np.asarray(radial @ self._stretched().T)

    def holds(self, rays: Floats) -> NDArray[np.bool_]:
        """In front of the camera: depth along the axis means nothing beyond."""
        return np.asarray(rays[..., 2] > 0)

    def write(self, path: Path) -> None:
        """The camera's part of C3VD's `config.ini`."""
        a0, (b2, b3, b4), (c, d, e) = self.fx, self.bend, self.stretch
        values: dict[str, float] = {
            "width": self.width, "height": self.height, "cx": self.cx, "cy": self.cy,
            "a0": a0, "a1": 0.0, "a2": b2 / a0, "a3": b3 / a0**2, "a4": b4 / a0**3,
            "c": c, "d": d, "e": e,
        }  # fmt: skip
        lines = [f"{key} = {value!r}" for key, value in values.items()]
        path.write_text("\n".join(["; omnidirectional camera intrinsics", *lines]) + "\n")

    @classmethod
    def read(cls, path: Path) -> Omnidirectional:
        """From a `config.ini`, whatever else it holds.

        Raises:
            RecipeError: unreadable, or a value is missing.
        """
        try:
            found = re.findall(r"^\s*(\w+)\s*=\s*([-+.\deE]+)\s*$", path.read_text(), re.MULTILINE)
            values = {name: float(value) for name, value in found}
            size = int(values["width"]), int(values["height"])
            cx, cy, a0, a2, a3, a4, c, d, e = (values[name] for name in _NAMES)
            bend = (a2 * a0, a3 * a0**2, a4 * a0**3)
        except (OSError, ValueError, KeyError) as error:
            raise RecipeError(
                f"{path} is no omnidirectional calibration: {error}.",
                f"It needs width, height, {', '.join(_NAMES)}, each as `name = number`.",
            ) from error
        return cls(*size, a0, a0, cx, cy, bend, (c, d, e))

    def _height(self, rho: Floats) -> Floats:
        b2, b3, b4 = self.bend
        return np.asarray(1 + rho * rho * (b2 + rho * (b3 + rho * b4)))

    def _stretched(self) -> Floats:
        c, d, e = self.stretch
        return np.array([[c, d], [e, 1.0]])
