"""Geometry as another lens sees it from the same place: for layouts that know pinholes only."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.dataset import GeometryFrame

_JUMP_SHARE = 0.12
"""Neighbours farther apart than this, as a share of their distance, are not one surface: as for
the occluding edges of `train.simulate.rays`."""


def rectify(frame: GeometryFrame, source: Camera, target: Camera) -> GeometryFrame:
    """Resample one frame, (H, W) of `source`, onto `target`'s pixels.

    Labels and normals come from the nearest pixel. Distance is interpolated on one surface and
    taken from the nearest pixel at its border, so that no depth appears between a fold and what
    lies behind it. What `source` did not see is invalid.
    """
    rays = target.rays()
    seen = source.project(rays.reshape(-1, 3)).reshape(*rays.shape[:2], 2)
    column, row = np.rint(seen[..., 0]).astype(int), np.rint(seen[..., 1]).astype(int)
    inside = (column >= 0) & (column < source.width) & (row >= 0) & (row < source.height)
    inside &= source.holds(rays) & target.sees()
    row, column = np.where(inside, row, 0), np.where(inside, column, 0)

    def nearest(values: NDArray[Any]) -> NDArray[Any]:
        kept = inside.reshape(*inside.shape, *[1] * (values.ndim - 2))
        return np.where(kept, values[row, column], np.zeros((), values.dtype))

    shape = frame.depth_mm.shape
    arrays = {each.name: np.asarray(getattr(frame, each.name)) for each in fields(frame)}
    sampled = {name: nearest(array) for name, array in arrays.items() if array.shape[:2] == shape}
    distance = np.where(sampled["valid"], _distance(frame, seen, sampled["depth_mm"]), 0)
    # The eye is where any valid point is, less the way there.
    way = frame.depth_mm[..., None] * (frame.rays @ frame.rotation.T)
    eye = np.median((frame.position - way).reshape(-1, 3), axis=0)
    single = rays.astype(np.float32)
    sampled |= {
        "depth_mm": distance.astype(np.float32),
        "rays": single,
        "position": (distance[..., None] * (single @ frame.rotation.T) + eye).astype(np.float32),
    }
    return replace(frame, **sampled)


def _distance(
    frame: GeometryFrame, seen: NDArray[np.float64], nearest: NDArray[np.float32]
) -> NDArray[np.float32]:
    x, y = seen[..., 0].astype(np.float32), seen[..., 1].astype(np.float32)
    smooth = cv2.remap(frame.depth_mm, x, y, cv2.INTER_LINEAR)
    square = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(frame.depth_mm, square), cv2.dilate(frame.depth_mm, square)
    is_surface = ((low > 0) & (high - low < _JUMP_SHARE * low)).astype(np.float32)
    on_surface = cv2.remap(is_surface, x, y, cv2.INTER_NEAREST) > 0
    return np.where(on_surface, smooth, nearest)
