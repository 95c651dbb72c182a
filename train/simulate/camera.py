"""Camera models: from pixels to rays and back.

One model serves every output of a render, so that picture, labels, depth and normals agree to
the pixel. Camera coordinates: x right, y down, z forward. Pixel centres are at integers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError

Floats = NDArray[np.float64]

_WIDEST_RAD = 1.45
"""Beyond this angle from the axis the fisheye's polynomial is no longer trusted."""


class Aperture(StrEnum):
    """What part of the sensor the endoscope's picture covers."""

    FULL = "full"
    CIRCLE = "circle"
    OCTAGON = "octagon"


@dataclass(frozen=True, slots=True)
class Camera(ABC):
    """A lens and a sensor. Focal lengths and centre in pixels."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    model: ClassVar[str]

    @abstractmethod
    def directions(self, x: Floats, y: Floats) -> Floats:
        """Unit directions (..., 3) of points (x, y) on the plane at focal length 1."""

    @abstractmethod
    def plane(self, points: Floats) -> Floats:
        """(n, 3) camera coordinates → (n, 2) on the plane at focal length 1."""

    @abstractmethod
    def holds(self, rays: Floats) -> NDArray[np.bool_]:
        """(...,): unit directions (..., 3) for which the lens model holds."""

    def rays(self) -> Floats:
        """Unit direction of every pixel, (height, width, 3), read-only."""
        return _rays_of(self)

    def sees(self) -> NDArray[np.bool_]:
        """(height, width): pixels that show something. Read-only."""
        return _sees_of(self)

    def project(self, points: Floats) -> Floats:
        """(n, 3) camera coordinates → (n, 2) xy pixels."""
        scaled = self.plane(points) * (self.fx, self.fy)
        return np.asarray(scaled + np.array([self.cx, self.cy]))

    def resized(self, width: int, height: int) -> Camera:
        """The same lens on a sensor with other pixels; a pixel's centre stays where it was."""
        x, y = width / self.width, height / self.height
        return replace(
            self, width=width, height=height, fx=self.fx * x, fy=self.fy * y,
            cx=(self.cx + 0.5) * x - 0.5, cy=(self.cy + 0.5) * y - 0.5,
        )  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """For files; `camera_from` reads it back."""
        return {"model": self.model, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Pinhole(Camera):
    """x / z, y / z: no distortion."""

    aperture: Aperture = Aperture.FULL

    model: ClassVar[str] = "pinhole"

    @classmethod
    def wide(cls, width: int, height: int, field_rad: float) -> Pinhole:
        """Square pixels with `field_rad` between the left and the right border."""
        focal = width / 2 / np.tan(field_rad / 2)
        return cls(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)

    def directions(self, x: Floats, y: Floats) -> Floats:
        """Straight through the centre."""
        rays = np.stack([x, y, np.ones_like(x)], axis=-1)
        return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))

    def plane(self, points: Floats) -> Floats:
        """Divide by z."""
        return np.asarray(points[:, :2] / points[:, 2:])

    def holds(self, rays: Floats) -> NDArray[np.bool_]:
        """In front of the camera."""
        return np.asarray(rays[..., 2] > 0)


@dataclass(frozen=True, slots=True)
class Fisheye(Camera):
    """Kannala–Brandt: r(θ) = θ + k1 θ³ + k2 θ⁵ + k3 θ⁷ + k4 θ⁹ at focal length 1."""

    k: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    aperture: Aperture = Aperture.FULL

    model: ClassVar[str] = "kannala-brandt"

    ENDOMAPPER_K: ClassVar[tuple[float, float, float, float]] = (
        -0.1389272, -0.001239606, 0.0009125824, -4.071615e-05,
    )  # fmt: skip
    """Olympus colonoscope calibrated in EndoMapper (Azagra et al. 2023)."""

    @classmethod
    def endomapper(cls, width: int = 720, height: int = 540) -> Fisheye:
        """That colonoscope; its calibration is for 720×540."""
        camera = cls(
            720, 540, 358.6052, 358.7408, 367.6783, 276.3991, cls.ENDOMAPPER_K, Aperture.OCTAGON
        )
        resized = camera.resized(width, height)
        assert isinstance(resized, Fisheye)
        return resized

    @classmethod
    def colonoscope(cls, size: int, half_angle: float) -> Fisheye:
        """EndoMapper's lens shape on a square, so that `half_angle` (rad) reaches the side."""
        centre = (size - 1) / 2
        focal = size / 2 / float(_distort(np.asarray(half_angle, np.float64), cls.ENDOMAPPER_K))
        return cls(size, size, focal, focal, centre, centre, cls.ENDOMAPPER_K)

    def directions(self, x: Floats, y: Floats) -> Floats:
        """Newton's method on r(θ)."""
        r = np.hypot(x, y)
        theta = np.minimum(r, 1.5)
        for _ in range(12):
            theta = np.clip(theta - (_distort(theta, self.k) - r) / _slope(theta, self.k), 0, 1.6)
        across = np.sinc(theta / np.pi)  # sin(θ)/θ, 1 on the axis
        stretch = np.where(r > 1e-9, theta / np.maximum(r, 1e-9), 1.0) * across
        return np.stack([x * stretch, y * stretch, np.cos(theta)], axis=-1)

    def plane(self, points: Floats) -> Floats:
        """r(θ) in the direction of the point."""
        across = np.hypot(points[:, 0], points[:, 1])
        r = _distort(np.arctan2(across, points[:, 2]), self.k)
        return np.asarray(points[:, :2] * (r / np.maximum(across, 1e-12))[:, None])

    def holds(self, rays: Floats) -> NDArray[np.bool_]:
        """Within the calibrated field."""
        return np.asarray(rays[..., 2] > np.cos(_WIDEST_RAD))


MODELS: dict[str, type[Camera]] = {kind.model: kind for kind in (Pinhole, Fisheye)}


def camera_from(about: Mapping[str, Any]) -> Camera:
    """The camera that `Camera.as_dict` described.

    Raises:
        RecipeError: an unknown model, or not a camera.
    """
    settings = dict(about)
    kind = MODELS.get(str(settings.pop("model", None)))
    if kind is None:
        known = ", ".join(MODELS)
        raise RecipeError(f"Unknown camera model in {dict(about)}.", f"Use one of: {known}.")
    try:
        settings["aperture"] = Aperture(settings.get("aperture", Aperture.FULL))
        if "k" in settings:
            settings["k"] = tuple(settings["k"])
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"Not a {kind.model} camera: {error}.", "Correct its settings."
        ) from error


def aperture_mask(aperture: Aperture, width: int, height: int) -> NDArray[np.bool_]:
    """(height, width): what the endoscope shows.

    The octagon is EndoMapper's, (255, 0) to (70, 860) of 1440×1080: its corners are cut and its
    sides stand off the border.
    """
    v, u = np.mgrid[:height, :width].astype(np.float64)
    x, y = (u + 0.5) / width * 1440, (v + 0.5) / height * 1080
    if aperture is Aperture.CIRCLE:
        radius = min(width, height) / 2
        return np.asarray(np.hypot(u - (width - 1) / 2, v - (height - 1) / 2) <= radius)
    if aperture is Aperture.OCTAGON:
        left, right = np.minimum(x - 70, 1350), np.minimum(1420 - x, 1350)
        side = np.minimum(y, 1080 - y)
        cut = np.minimum(left / (255 - 70), right / (1420 - 1234)) + side / 220 >= 1
        return np.asarray(cut & (left >= 0) & (right >= 0))
    return np.ones((height, width), dtype=bool)


@lru_cache(maxsize=64)
def _rays_of(camera: Camera) -> Floats:
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    rays = camera.directions((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy)
    rays.setflags(write=False)
    return rays


@lru_cache(maxsize=64)
def _sees_of(camera: Camera) -> NDArray[np.bool_]:
    aperture = getattr(camera, "aperture", Aperture.FULL)
    sees = camera.holds(camera.rays()) & aperture_mask(aperture, camera.width, camera.height)
    sees.setflags(write=False)
    return sees


def _distort(theta: Floats, k: tuple[float, float, float, float]) -> Floats:
    t2 = theta * theta
    return np.asarray(theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3])))))


def _slope(theta: Floats, k: tuple[float, float, float, float]) -> Floats:
    t2 = theta * theta
    return np.asarray(
        np.maximum(1 + t2 * (3 * k[0] + t2 * (5 * k[1] + t2 * (7 * k[2] + t2 * 9 * k[3]))), 0.05)
    )
