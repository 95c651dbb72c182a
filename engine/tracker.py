"""Identity of folds over time: a fold keeps its number, and so its colour.

Each frame, the camera's motion is estimated from sparse optical flow on a small grey picture;
remembered outlines move along with it, and the new folds are matched to them by overlap.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from engine.types import FoldInstance, Frame, Image, Labels, Points


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """When folds are the same, and how long one is remembered."""

    side: int = 160
    """Longer side of the picture on which overlap and motion are measured, pixels."""
    smallest_overlap: float = 0.22
    memory_s: float = 0.4
    """A fold lost for longer gets a new number."""
    new_score: float = 0.0
    """A fold not seen before must be at least this certain; a remembered one need not."""


@dataclass(slots=True)
class _Track:
    number: int
    outline: Points
    """(n, 2) xy on the small picture, moved along with the camera."""
    seen_s: float


class Tracker:
    """Call `update` in presentation order; `reset` after a jump in time."""

    def __init__(self, options: TrackerOptions = TrackerOptions()) -> None:
        self._options = options
        self._last_number = 0
        self._tracks: list[_Track] = []
        self._grey: NDArray[np.uint8] | None = None

    def reset(self) -> None:
        """Forget everything but the numbers already given."""
        self._tracks.clear()
        self._grey = None

    def update(self, frame: Frame, folds: tuple[FoldInstance, ...]) -> tuple[FoldInstance, ...]:
        """The same folds with `track` set; uncertain folds without a past are left out."""
        grey, scale = _small_grey(frame.image, self._options.side)
        self._follow_camera(grey)
        # Pixel centres: a small pixel covers `1 / scale` frame pixels.
        outlines = [((fold.contour + 0.5) * scale - 0.5).astype(np.float32) for fold in folds]
        tracked, taken = [], set()
        matches = self._match(outlines, grey.shape)
        for i, fold in enumerate(folds):
            track = matches.get(i)
            if track is None:
                if fold.score < self._options.new_score:
                    continue
                self._last_number += 1
                track = _Track(self._last_number, outlines[i], frame.pts_s)
                self._tracks.append(track)
            track.outline, track.seen_s = outlines[i], frame.pts_s
            taken.add(track.number)
            tracked.append(replace(fold, track=track.number))
        self._tracks = [
            track
            for track in self._tracks
            if track.number in taken or 0 <= frame.pts_s - track.seen_s <= self._options.memory_s
        ]
        return tuple(tracked)

    def _follow_camera(self, grey: NDArray[np.uint8]) -> None:
        """Move remembered outlines by the motion since the last picture."""
        previous, self._grey = self._grey, grey
        if previous is None or previous.shape != grey.shape or not self._tracks:
            return
        motion = camera_motion(previous, grey)
        for track in self._tracks:
            track.outline = (track.outline @ motion[:, :2].T + motion[:, 2]).astype(np.float32)

    def _match(self, outlines: list[Points], shape: tuple[int, ...]) -> dict[int, _Track]:
        """Assign folds (by position) to remembered tracks so that the total overlap is largest."""
        if not outlines or not self._tracks:
            return {}
        remembered = sorted(self._tracks, key=lambda track: track.seen_s)
        overlap = overlaps(
            _paint([track.outline for track in remembered], shape), _paint(outlines, shape),
            (len(remembered), len(outlines)),
        )  # fmt: skip
        rows, columns = linear_sum_assignment(-overlap)
        return {
            int(column): remembered[row]
            for row, column in zip(rows, columns, strict=True)
            if overlap[row, column] >= self._options.smallest_overlap
        }


def camera_motion(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Similarity (2, 3) that carries points of `before` to `after`; identity where unsure."""
    still = np.eye(2, 3)
    corners = cv2.goodFeaturesToTrack(before, 80, 0.01, 6)
    if corners is None or len(corners) < 8:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before, after, corners, np.empty_like(corners), winSize=(15, 15)
    )
    good = found[:, 0] == 1
    if np.count_nonzero(good) < 8:
        return still
    motion, inliers = cv2.estimateAffinePartial2D(
        corners[good], moved[good], method=cv2.RANSAC, ransacReprojThreshold=2.0
    )
    if motion is None or np.count_nonzero(inliers) < 6:
        return still
    zoom = float(np.hypot(motion[0, 0], motion[1, 0]))
    return motion if 0.7 < zoom < 1.4 else still


def overlaps(before: Labels, after: Labels, counts: tuple[int, int]) -> NDArray[np.float64]:
    """Overlap of every pair of labels, (n, m).

    The mean of intersection over union and intersection over the smaller area: a fold that is
    partly hidden still overlaps its past well.
    """
    n, m = counts
    joint = np.bincount((before * (m + 1) + after).ravel(), minlength=(n + 1) * (m + 1))
    table = joint.reshape(n + 1, m + 1).astype(np.float64)
    area_before, area_after = table.sum(1)[1:, None], table.sum(0)[None, 1:]
    shared = table[1:, 1:]
    union = np.maximum(area_before + area_after - shared, 1)
    smaller = np.maximum(np.minimum(area_before, area_after), 1)
    return np.asarray(0.5 * shared / union + 0.5 * shared / smaller)


def _paint(outlines: list[Points], shape: tuple[int, ...]) -> Labels:
    """Label map of outlines, 1, 2, ...; widened by a pixel, because folds are thin."""
    canvas = np.zeros(shape[:2], np.int32)
    for label, outline in enumerate(outlines, start=1):
        polygon = [np.round(np.clip(outline, -2000, 2000) * 8).astype(np.int32)]
        cv2.fillPoly(canvas, polygon, label, cv2.LINE_8, 3)
        cv2.polylines(canvas, polygon, True, label, 3, cv2.LINE_8, 3)
    return canvas


def _small_grey(image: Image, side: int) -> tuple[NDArray[np.uint8], float]:
    """A small grey picture and its pixels per frame pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Every few pixels are enough for motion; an area average of the whole frame costs ten times.
    small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    return np.asarray(grey, np.uint8), scale
