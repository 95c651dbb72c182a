"""How the picture moved from one frame to the next, and outlines with it, from dense optical flow.

Near folds move faster than far ones and the wall is not flat, so one motion for the whole picture
says little about any fold: each outline follows what happened along itself.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Points

Grey = NDArray[np.uint8]
"""(h, w)."""
Flow = NDArray[np.float32]
"""(h, w, 2): where each pixel went, xy in pixels."""

_Floats = NDArray[np.float64]

_STIFFNESS_PX2 = 4.0
"""Of an outline against turning and growing: as if it were this much larger than it is."""
_ROUNDS = 3
_SMALLEST_SIDE = 32
"""Of a picture in which flow can be told."""


class _Estimator(threading.local):
    """Dense inverse search (Kroeger et al. 2016); keeps buffers, so every thread has its own."""

    def __init__(self) -> None:
        search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        search.setFinestScale(1)
        search.setPatchSize(8)
        search.setPatchStride(4)
        search.setGradientDescentIterations(12)
        search.setVariationalRefinementIterations(0)
        self.search = search


_estimator = _Estimator()


def small_grey(image: Image, side: int) -> tuple[Grey, float]:
    """A small grey picture and its pixels per frame pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Every few pixels are enough for motion; an area average of the whole frame costs ten times.
    small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    return np.asarray(grey, np.uint8), scale


def picture_flow(before: Grey, after: Grey) -> Flow:
    """Where the pixels of `before` are in `after`; nowhere else if the pictures are too small."""
    if before.shape != after.shape or min(before.shape) < _SMALLEST_SIDE:
        return np.zeros((*before.shape, 2), np.float32)
    pictures = np.ascontiguousarray(before), np.ascontiguousarray(after)
    return np.asarray(_estimator.search.calc(*pictures, None), np.float32)


def outline_motions(outlines: Sequence[Points], flow: Flow) -> NDArray[np.float64]:
    """Similarity (n, 2, 3) by which each of n outlines moved, told by the flow along itself.

    Fitted by iterated least squares, so that points that went elsewhere (a highlight, a fold that
    passes in front) count little; all outlines at once.
    """
    counts = np.array([len(outline) for outline in outlines])
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    points = np.concatenate(outlines).astype(np.float64)
    height, width = flow.shape[:2]
    x, y = np.clip(np.rint(points).astype(np.intp), 0, (width - 1, height - 1)).T
    moved = flow[y, x].astype(np.float64)
    weights = np.ones(len(points))
    for left in reversed(range(_ROUNDS)):
        motions = _fit(points, moved, weights, starts)
        if left:
            each = np.repeat(motions, counts, axis=0)
            expected = np.einsum("nij,nj->ni", each[:, :, :2], points) + each[:, :, 2] - points
            error = np.abs(moved - expected).sum(axis=1)
            usual = np.repeat(np.add.reduceat(error, starts) / counts, counts)
            weights = 1 / (1 + (error / np.maximum(usual, 0.5)) ** 2)
    return motions


def _fit(points: _Floats, moved: _Floats, weights: _Floats, starts: NDArray[np.intp]) -> _Floats:
    """Weighted least squares: (n, 2, 3), one similarity for each run of points."""
    counts = np.diff(np.append(starts, len(points)))
    total = np.add.reduceat(weights, starts)[:, None]
    middle = np.add.reduceat(weights[:, None] * points, starts) / total
    shift = np.add.reduceat(weights[:, None] * moved, starts) / total
    (x, y) = (points - np.repeat(middle, counts, axis=0)).T
    (u, v) = (moved - np.repeat(shift, counts, axis=0)).T
    size = np.add.reduceat(weights * (x * x + y * y), starts) + _STIFFNESS_PX2 * total[:, 0]
    grow = np.add.reduceat(weights * (x * u + y * v), starts) / size
    turn = np.add.reduceat(weights * (x * v - y * u), starts) / size
    linear = np.stack([1 + grow, -turn, turn, 1 + grow], axis=1).reshape(-1, 2, 2)
    offset = middle + shift - np.einsum("nij,nj->ni", linear, middle)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def carry(points: Points, motion: NDArray[np.float64]) -> Points:
    """(n, 2) points moved by a similarity (2, 3)."""
    return np.asarray(points @ motion[:, :2].T + motion[:, 2], np.float32)
