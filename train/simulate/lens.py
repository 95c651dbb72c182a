"""A camera's lens as small tables: where directions fall in the picture, and with what margin.

What a ray meets is decided by the ray itself. The tables only bound the pixels worth asking, so
they serve any lens that is symmetric about its axis, whatever its formula.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.simulate.camera import Camera

TILE_PX = 8
_SAMPLES = 4096
_REACH_RAD = 0.35
"""Beyond the field, directions are still projected this far: faces reach over the border."""
_STEEPEST = 30.0
_FLATTEST = 0.02
"""Slopes dr/dθ beyond which a projection is of no use for bounds."""


class Lens(NamedTuple):
    """Tables of one camera; lengths in pixels, angles in radians."""

    rays: NDArray[np.float64]
    """(H, W, 3) unit."""
    slim_rays: NDArray[np.float32]
    """(H · W, 3)."""
    sees: NDArray[np.bool_]
    """(H, W)."""
    profile: NDArray[np.float64]
    """Radius in the picture over the sine of the angle, at even steps of its cosine down from 1."""
    steps_per_cosine: float
    scale: NDArray[np.float64]
    """(4,) fx, fy, cx, cy."""
    field: float
    """Largest angle from the axis that a pixel sees."""
    reach: float
    """Directions up to this angle beyond the field are projected."""
    stretch: float
    """Most pixels that a radian covers."""
    bend: float
    """An edge of angular length α leaves its chord by at most `bend` · α² pixels."""
    tile_axis: NDArray[np.float64]
    """(rows, columns, 3) a direction in the middle of each tile of `TILE_PX`² pixels."""
    tile_reach: NDArray[np.float64]
    """(rows, columns) largest length of ray - axis within the tile."""


@lru_cache(maxsize=64)
def lens_of(camera: Camera) -> Lens:
    """The tables of a camera."""
    rays, sees = camera.rays(), camera.sees()
    field = float(np.arccos(np.clip(rays[..., 2][sees].min(initial=1.0), -1, 1)))
    limit = field + min(_REACH_RAD, max(_widest(camera) - field, 0.0))
    cosines = np.linspace(1.0, np.cos(limit), _SAMPLES)
    angles = np.maximum(np.arccos(cosines), 1e-4)
    stretch, bend = _distortion(camera, limit)
    axis, reach = _tiles(rays)
    return Lens(
        rays=rays,
        slim_rays=rays.reshape(-1, 3).astype(np.float32),
        sees=sees,
        profile=_radius(camera, angles) / np.sin(angles),
        steps_per_cosine=(_SAMPLES - 1) / (1.0 - np.cos(limit)),
        scale=np.array([camera.fx, camera.fy, camera.cx, camera.cy]),
        field=field,
        reach=limit - field,
        stretch=stretch,
        bend=bend,
        tile_axis=axis,
        tile_reach=reach,
    )


def _radius(camera: Camera, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the axis on the plane at focal length 1."""
    points = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], axis=-1)
    return camera.plane(points)[:, 0]


def _widest(camera: Camera) -> float:
    """Largest angle up to which the picture grows outwards at a usable pace."""
    angles = np.linspace(1e-3, np.pi / 2 - 1e-3, 2000)
    slope = np.gradient(_radius(camera, angles), angles)
    bad = np.flatnonzero((slope < _FLATTEST) | (slope > _STEEPEST))
    return float(angles[bad[0] - 1 if bad[0] else 0]) if len(bad) else float(angles[-1])


def _distortion(camera: Camera, limit: float) -> tuple[float, float]:
    """`Lens.stretch` and `Lens.bend`, from great circles through a fan of directions."""
    step = 1e-3
    theta, turn = np.meshgrid(
        np.linspace(0.002, limit - step, 150), np.linspace(0, np.pi, 13), indexing="ij"
    )
    axis = np.stack([np.sin(theta), np.zeros_like(theta), np.cos(theta)], axis=-1).reshape(-1, 3)
    outward = np.stack([np.cos(theta), np.zeros_like(theta), -np.sin(theta)], -1).reshape(-1, 3)
    turn = turn.reshape(-1, 1)
    along = np.cos(turn) * outward + np.sin(turn) * np.array([0.0, 1.0, 0.0])
    before, here, after = (
        camera.plane(np.cos(s) * axis + np.sin(s) * along) * max(camera.fx, camera.fy)
        for s in (-step, 0.0, step)
    )
    tangent = (after - before) / (2 * step)
    second = (after - 2 * here + before) / step**2
    length = np.linalg.norm(tangent, axis=1)
    across = np.abs(tangent[:, 0] * second[:, 1] - tangent[:, 1] * second[:, 0]) / length
    is_straight = across.max() < 1e-3 * length.max()
    # Interpolating over a length l is wrong by at most l²/8 of the second derivative.
    bend = 0.0 if is_straight else 1.05 * np.linalg.norm(second, axis=1).max() / 8
    return float(1.1 * length.max()), float(bend)


def _tiles(rays: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    height, width = rays.shape[:2]
    rows, columns = -(-height // TILE_PX), -(-width // TILE_PX)
    padding = ((0, rows * TILE_PX - height), (0, columns * TILE_PX - width), (0, 0))
    blocks = np.pad(rays, padding, mode="edge").reshape(rows, TILE_PX, columns, TILE_PX, 3)
    axis = blocks.mean(axis=(1, 3))
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    reach = np.linalg.norm(blocks - axis[:, None, :, None], axis=-1).max(axis=(1, 3))
    return np.ascontiguousarray(axis), np.ascontiguousarray(reach)
