"""One frame of a followed video: how far every true fold overlaps every followed one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FoldInstance, Labels, Mask, Points

_FINE = 8
SMALLEST_PX = 48
"""A true fold of which less shows is neither missed nor found; the product drops such, too."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The folds of one frame by their identity."""

    truths: NDArray[np.int64]
    """(n,) distinct numbers of true folds."""
    tracks: NDArray[np.int64]
    """(m,) distinct numbers of tracks."""
    iou: NDArray[np.float64]
    """(n, m)."""

    @classmethod
    def of(cls, truth: Labels, found: Labels, smallest: int = SMALLEST_PX) -> Sighting:
        """Compare two label images (h, w), 0 for background.

        A true fold of fewer than `smallest` pixels is left out, and so is a track that lies by
        more than half on such folds: it is neither right nor wrong.
        """
        truths, at_truth = np.unique(truth, return_inverse=True)
        tracks, at_track = np.unique(found, return_inverse=True)
        cells = at_truth.ravel() * len(tracks) + at_track.ravel()
        shared = np.bincount(cells, minlength=len(truths) * len(tracks))
        shared = shared.reshape(len(truths), len(tracks))
        area, area_found = shared.sum(1), shared.sum(0)
        is_small = (area < smallest) & (truths != 0)
        is_ignored = shared[is_small].sum(0) > 0.5 * area_found
        kept, kept_found = ~is_small & (truths != 0), ~is_ignored & (tracks != 0)
        union = area[:, None] + area_found - shared
        iou = (shared / np.maximum(union, 1))[np.ix_(kept, kept_found)]
        return cls(truths[kept].astype(np.int64), tracks[kept_found].astype(np.int64), iou)


def paint_tracks(folds: Iterable[FoldInstance], shape: tuple[int, int]) -> Labels:
    """(h, w) number of the track at each pixel, 0 outside; smaller folds over larger ones."""
    labels = np.zeros(shape, np.int32)
    for fold in sorted(folds, key=lambda fold: -fold.area_px):
        points = np.concatenate(fold.outlines)
        (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
        left, top = max(0, int(x0)), max(0, int(y0))
        box = labels[top : max(top, int(y1) + 2), left : max(left, int(x1) + 2)]
        box[_fill(fold.outlines, (left, top), box.shape)] = fold.track
    return labels


def _fill(lines: Sequence[Points], corner: tuple[int, int], shape: tuple[int, ...]) -> Mask:
    """(h, w): pixels whose centre lies inside an odd number of lines.

    OpenCV fills every pixel that a line touches, half a pixel too much on all sides of a fold; so
    this is filled in eighths of a pixel, and the centres are looked up.
    """
    fine = np.zeros((shape[0] * _FINE, shape[1] * _FINE), np.uint8)
    drawn = [np.round((line - corner + 0.5) * _FINE - 0.5).astype(np.int32) for line in lines]
    if fine.size:
        cv2.fillPoly(fine, drawn, 1)
    return np.asarray(fine[_FINE // 2 :: _FINE, _FINE // 2 :: _FINE] > 0)
