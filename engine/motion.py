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
_MANY = 24
"""Of an outline with as many points, every second one is asked."""
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


def outline_motions(outlines: Sequence[Points], flow: Flow) -> _Floats:
    """Similarity (n, 2, 3) by which each of n outlines moved, told by the flow along itself.

    Fitted by iterated least squares, so that points that went elsewhere (a highlight, a fold that
    passes in front) count little; all outlines at once.
    """
    # Neighbours on an outline lie closer than what flow tells apart.
    picked = [outline[:: 1 + (len(outline) >= _MANY)] for outline in outlines]
    counts = np.array([len(outline) for outline in picked])
    starts = np.cumsum(counts) - counts
    x, y = points = np.concatenate(picked).T.astype(np.float64)
    height, width = flow.shape[:2]
    columns, rows = np.rint(points).astype(np.intp)
    np.clip(columns, 0, width - 1, out=columns)
    np.clip(rows, 0, height - 1, out=rows)
    u, v = flow[rows, columns].T.astype(np.float64)
    terms = np.stack([np.ones_like(x), x, y, u, v, x * x + y * y, x * u + y * v, x * v - y * u])
    similar = _fit(np.add.reduceat(terms, starts, axis=1))
    for _ in range(_ROUNDS - 1):
        grow, turn, right, down = np.repeat(similar, counts, axis=1)
        error = np.abs(u - grow * x + turn * y - right) + np.abs(v - turn * x - grow * y - down)
        usual = np.repeat(np.add.reduceat(error, starts) / counts, counts)
        weights = 1 / (1 + (error / np.maximum(usual, 0.5)) ** 2)
        similar = _fit(np.add.reduceat(terms * weights, starts, axis=1))
    grow, turn, right, down = similar
    motions = np.array([[1 + grow, -turn, right], [turn, 1 + grow, down]])
    return np.moveaxis(motions, 2, 0)


def _fit(sums: _Floats) -> _Floats:
    """Weighted least squares of (u, v) = (grow x - turn y + right, turn x + grow y + down).

    Args:
        sums: (8, n) weighted sums of 1, x, y, u, v, x² + y², x u + y v and x v - y u.

    Returns:
        (4, n) grow, turn, right, down.
    """
    total = sums[0]
    x, y, u, v = sums[1:5] / total
    size = sums[5] - total * (x * x + y * y) + _STIFFNESS_PX2 * total
    grow = (sums[6] - total * (x * u + y * v)) / size
    turn = (sums[7] - total * (x * v - y * u)) / size
    return np.stack([grow, turn, u - grow * x + turn * y, v - turn * x - grow * y])


def carry(points: Points, motion: NDArray[np.float64]) -> Points:
    """(n, 2) points moved by a similarity (2, 3)."""
    return np.asarray(points @ motion[:, :2].T + motion[:, 2], np.float32)
