"""Camera models: from pixels to rays and back.

One model serves every output of a render, so that picture, labels, depth and normals agree to
the pixel. Camera coordinates: x right, y down, z forward. Pixel centres are at integers.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fisheye:
    """Kannala–Brandt: r(θ) = f·(θ + k1 θ³ + k2 θ⁵ + k3 θ⁷ + k4 θ⁹), in pixels.

    `f = 358.6, k = (-0.1389, -0.00124, 0.00091, -4.07e-5)` at 720 pixels' width is the Olympus
    colonoscope calibrated in EndoMapper (Azagra et al. 2023).
    """

    size: int
    focal: float
    k: tuple[float, float, float, float]
    centre: tuple[float, float]

    @classmethod
    def colonoscope(cls, size: int, half_angle: float) -> Fisheye:
        """EndoMapper's lens shape, scaled so that the half angle (rad) reaches the side."""
        k = (-0.1389, -0.00124, 0.00091, -4.07e-5)
        centre = (size - 1) / 2
        radius = float(_distort(np.asarray(half_angle, np.float64), k))
        return cls(size, size / 2 / radius, k, (centre, centre))

    def rays(self) -> Floats:
        """Unit direction of every pixel, (size, size, 3)."""
        v, u = np.mgrid[: self.size, : self.size].astype(np.float64)
        x, y = (u - self.centre[0]) / self.focal, (v - self.centre[1]) / self.focal
        r = np.hypot(x, y)
        theta = np.minimum(r, 1.5)
        for _ in range(12):
            theta = np.clip(theta - (_distort(theta, self.k) - r) / _slope(theta, self.k), 0, 1.6)
        across = np.sinc(theta / np.pi)  # sin(θ)/θ, 1 on the axis
        stretch = np.where(r > 1e-9, theta / np.maximum(r, 1e-9), 1.0) * across
        return np.stack([x * stretch, y * stretch, np.cos(theta)], axis=-1)

    def sees(self) -> NDArray[np.bool_]:
        """(size, size): pixels in whose direction the lens model still holds."""
        return np.asarray(self.rays()[..., 2] > np.cos(1.45))

    def project(self, points: Floats) -> Floats:
        """(n, 3) camera coordinates → (n, 2) xy pixels."""
        across = np.hypot(points[:, 0], points[:, 1])
        theta = np.arctan2(across, points[:, 2])
        r = self.focal * _distort(theta, self.k)
        unit = points[:, :2] / np.maximum(across, 1e-12)[:, None]
        return np.asarray(unit * r[:, None] + np.asarray(self.centre))

    def as_dict(self) -> dict[str, object]:
        """For the manifest."""
        return {"model": "kannala-brandt", **asdict(self)}


def _distort(theta: Floats, k: tuple[float, float, float, float]) -> Floats:
    t2 = theta * theta
    return np.asarray(theta * (1 + t2 * (k[0] + t2 * (k[1] + t2 * (k[2] + t2 * k[3])))))


def _slope(theta: Floats, k: tuple[float, float, float, float]) -> Floats:
    t2 = theta * theta
    return np.asarray(
        np.maximum(1 + t2 * (3 * k[0] + t2 * (5 * k[1] + t2 * (7 * k[2] + t2 * 9 * k[3]))), 0.05)
    )
