"""Flicker of a mask: how well it agrees with the one before, moved by the true motion.

Varghese et al. 2020 (mTC) warp by estimated optical flow; here depth and pose give it exactly. An
empty mask agrees perfectly with itself: never read mTC without IoU beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.types import Mask
from train.simulate.camera import Camera

_TOLERANCE_MM = 0.5
_TOLERANCE_SHARE = 0.03


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Where a frame was taken from, and how far everything in it is."""

    distance_mm: NDArray[np.float32]
    """(H, W) along the ray, 0 where invalid."""
    pose: NDArray[np.float64]
    """(4, 4) camera to world, mm."""
    camera: Camera


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the pixels of one frame were in the one before."""

    source: NDArray[np.int32]
    """(H, W) index into the earlier frame's pixels, row by row; 0 where unknown."""
    known: Mask
    """(H, W): in view in both frames and hidden in neither."""

    def warp(self, earlier: Mask) -> Mask:
        """(H, W): the earlier frame's mask as it would look now; false where unknown."""
        return np.asarray(earlier.ravel()[self.source] & self.known)


def flow_between(earlier: Viewpoint, later: Viewpoint) -> Flow:
    """For each pixel of the later frame, the pixel of the earlier one that shows the same point.

    A point was visible when the earlier frame saw the wall at its distance, within 0.5 mm or 3 %.
    """
    camera, shape = later.camera, later.distance_mm.shape
    world = (later.distance_mm[..., None] * camera.rays()).reshape(-1, 3) @ later.pose[:3, :3].T
    world += later.pose[:3, 3]
    local = (world - earlier.pose[:3, 3]) @ earlier.pose[:3, :3]
    away = np.linalg.norm(local, axis=1)
    known = (later.distance_mm.ravel() > 0) & (away > 1e-6)
    known &= camera.holds(local / np.maximum(away, 1e-6)[:, None])
    x, y = np.zeros(len(local), np.intp), np.zeros(len(local), np.intp)
    x[known], y[known] = np.rint(earlier.camera.project(local[known])).astype(np.intp).T
    known &= (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    source = np.where(known, y * shape[1] + x, 0)
    seen_mm = earlier.distance_mm.ravel()[source]
    known &= np.abs(seen_mm - away) <= np.maximum(_TOLERANCE_MM, _TOLERANCE_SHARE * away)
    known &= seen_mm > 0
    return Flow(np.where(known, source, 0).astype(np.int32).reshape(shape), known.reshape(shape))


def consistency(flow: Flow, earlier: Mask, later: Mask) -> float:
    """IoU of a mask with the earlier one, warped, where the flow is known; NaN if both are empty.

    Args:
        flow: from the earlier to the later frame.
        earlier: (H, W) mask of the earlier frame.
        later: (H, W) mask of the later frame.
    """
    before, now = flow.warp(earlier), later & flow.known
    either = int(np.count_nonzero(before | now))
    return np.count_nonzero(before & now) / either if either else float("nan")
