"""Identity of folds over time: a fold keeps its number, and so its colour.

Each frame, the camera's motion is estimated from sparse optical flow on a small grey picture;
remembered outlines move along with it and with their own drift, and the new folds are matched to
them by overlap. Where folds merge, the one that was seen most gives its number; where one falls
apart, its largest part keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from engine.types import FoldInstance, Frame, Image, Points

_Grey = NDArray[np.uint8]
_LEARNING_RATE = 0.5
"""Of a fold's drift, per frame."""


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """When folds are the same, and how long one is remembered."""

    side: int = 160
    """Longer side of the picture on which overlap and motion are measured, pixels."""
    smallest_overlap: float = 0.22
    merged_share: float = 0.6
    """A fold that lies by this share in another one has merged with it."""
    memory_s: float = 0.4
    """A fold lost for longer gets a new number."""
    colours: int = 5
    """Numbers that differ by a multiple of this are painted alike; a new fold avoids those."""
    new_score: float = 0.0
    """A fold not seen before must be at least this certain; a remembered one need not."""


@dataclass(slots=True)
class _Track:
    number: int
    outline: Points
    """(n, 2) xy on the small picture, where the fold is expected."""
    seen_s: float
    drift: NDArray[np.float64]
    """(2,) xy, small pixels per second relative to the camera's motion."""
    standing: float = 0.0
    """How much it was seen: its area, summed over the frames it was found in."""
    is_lost: bool = False

    def move(self, motion: NDArray[np.float64], elapsed_s: float) -> None:
        """Expect the fold where camera and drift have carried it."""
        carried = self.outline @ motion[:, :2].T + motion[:, 2] + self.drift * elapsed_s
        self.outline = carried.astype(np.float32)

    def see(self, outline: Points, now_s: float) -> None:
        """Take the fold's new place, and learn how it drifts."""
        elapsed_s = now_s - self.seen_s
        if not self.is_lost and elapsed_s > 0 and _is_alike(self.outline, outline):
            error = (_middle(outline) - _middle(self.outline)) / elapsed_s
            self.drift = self.drift + _LEARNING_RATE * error
        else:
            self.drift = self.drift * (1 - _LEARNING_RATE)
        self.outline, self.seen_s, self.is_lost = outline, now_s, False
        self.standing += cv2.contourArea(outline)


class Tracker:
    """Call `update` in presentation order; `reset` after a jump in time."""

    def __init__(self, options: TrackerOptions = TrackerOptions()) -> None:
        self._options = options
        self._last_number = 0
        self._tracks: list[_Track] = []
        self._grey: _Grey | None = None
        self._now_s = 0.0

    def reset(self) -> None:
        """Forget everything but the numbers already given."""
        self._tracks.clear()
        self._grey = None

    def update(self, frame: Frame, folds: tuple[FoldInstance, ...]) -> tuple[FoldInstance, ...]:
        """The same folds with `track` set; uncertain folds without a past are left out."""
        grey, scale = _small_grey(frame.image, self._options.side)
        self._foresee(grey, frame.pts_s)
        # Pixel centres: a small pixel covers `1 / scale` frame pixels.
        outlines = [((fold.contour + 0.5) * scale - 0.5).astype(np.float32) for fold in folds]
        matches = self._match(outlines, grey.shape)
        for track in self._tracks:
            track.is_lost = track.is_lost or all(track is not each for each in matches.values())
        tracked = []
        for i, fold in enumerate(folds):
            if i not in matches:
                if fold.score < self._options.new_score:
                    continue
                matches[i] = self._begin(outlines[i])
            matches[i].see(outlines[i], frame.pts_s)
            tracked.append(replace(fold, track=matches[i].number))
        self._forget()
        return tuple(tracked)

    def _foresee(self, grey: _Grey, now_s: float) -> None:
        """Move remembered outlines to where they should be by now."""
        before, self._grey = self._grey, grey
        elapsed_s, self._now_s = now_s - self._now_s, now_s
        if elapsed_s < 0:
            self._tracks.clear()
        if not self._tracks:
            return
        if before is None or before.shape != grey.shape:
            motion = np.eye(2, 3)
        else:
            motion = camera_motion(before, grey)
        for track in self._tracks:
            track.move(motion, elapsed_s)

    def _match(self, outlines: list[Points], shape: tuple[int, ...]) -> dict[int, _Track]:
        """Tracks by the position of their fold: first those just seen, then those lost for longer.

        In this order, the largest part of a fold that falls apart keeps the fold's number, and
        only what is left may be a fold that was lost.
        """
        if not outlines or not self._tracks:
            return {}
        areas = SharedAreas.of(
            _paint([track.outline for track in self._tracks], shape), _paint(outlines, shape)
        )
        overlap = areas.overlap()
        is_lost = np.array([track.is_lost for track in self._tracks])
        rows = self._assign(np.where(is_lost[:, None], 0, overlap))
        left = np.where(is_lost[:, None], overlap, 0)
        left[:, list(rows)] = 0
        rows |= self._assign(left)
        merged = areas.share_inside() >= self._options.merged_share
        merged[is_lost] = merged[list(rows.values())] = False
        return {
            column: max(
                (self._tracks[each] for each in (row, *np.flatnonzero(merged[:, column]))),
                key=lambda track: track.standing,
            )
            for column, row in rows.items()
        }

    def _assign(self, overlap: NDArray[np.float64]) -> dict[int, int]:
        """Rows by column, so that the total overlap is largest."""
        rows, columns = linear_sum_assignment(-overlap)
        is_match = overlap[rows, columns] >= self._options.smallest_overlap
        return dict(zip(columns[is_match].tolist(), rows[is_match].tolist(), strict=True))

    def _begin(self, outline: Points) -> _Track:
        self._last_number = self._next_number()
        track = _Track(self._last_number, outline, self._now_s, np.zeros(2))
        self._tracks.append(track)
        return track

    def _next_number(self) -> int:
        """The next number that does not look like one in view, or simply the next."""
        colours, first = self._options.colours, self._last_number + 1
        taken = {track.number % colours for track in self._tracks if not track.is_lost}
        free = (number for number in range(first, first + colours) if number % colours not in taken)
        return next(free, first)

    def _forget(self) -> None:
        self._tracks = [
            track
            for track in self._tracks
            if not track.is_lost or self._now_s - track.seen_s <= self._options.memory_s
        ]


def camera_motion(before: _Grey, after: _Grey) -> NDArray[np.float64]:
    """Similarity (2, 3) that carries points of `before` to `after`; identity where unsure."""
    still = np.eye(2, 3)
    corners = cv2.goodFeaturesToTrack(before, 60, 0.01, 6)
    if corners is None or len(corners) < 8:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        corners,
        np.empty_like(corners),
        winSize=(13, 13),
        maxLevel=2,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.03),
    )
    good = found[:, 0] == 1
    if np.count_nonzero(good) < 8:
        return still
    motion, inliers = cv2.estimateAffinePartial2D(
        corners[good], moved[good], method=cv2.RANSAC, ransacReprojThreshold=2.0
    )
    if motion is None or np.count_nonzero(inliers) < max(6, np.count_nonzero(good) / 2):
        return still
    zoom = float(np.hypot(motion[0, 0], motion[1, 0]))
    return np.asarray(motion, np.float64) if 0.7 < zoom < 1.4 else still


@dataclass(frozen=True, slots=True)
class SharedAreas:
    """How many cells every pair of masks shares; masks are (n, h, w) and (m, h, w) of 0 and 1."""

    shared: NDArray[np.int64]
    """(n, m)."""
    before: NDArray[np.int64]
    """(n,) cells of the earlier masks."""
    after: NDArray[np.int64]
    """(m,) cells of the later ones."""

    @classmethod
    def of(cls, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> SharedAreas:
        """Count on packed bits: 64 cells an operation."""
        first, second = _pack(before), _pack(after)
        return cls(
            np.bitwise_count(first[:, None] & second[None]).sum(-1, dtype=np.int64),
            np.bitwise_count(first).sum(-1, dtype=np.int64),
            np.bitwise_count(second).sum(-1, dtype=np.int64),
        )

    def overlap(self) -> NDArray[np.float64]:
        """(n, m) mean of intersection over union and intersection over the smaller area.

        So a fold that is partly hidden still overlaps its past well.
        """
        union = np.maximum(self.before[:, None] + self.after - self.shared, 1)
        smaller = np.maximum(np.minimum(self.before[:, None], self.after), 1)
        return np.asarray(0.5 * self.shared / union + 0.5 * self.shared / smaller)

    def share_inside(self) -> NDArray[np.float64]:
        """(n, m) share of each earlier mask that lies in each later one."""
        return np.asarray(self.shared / np.maximum(self.before[:, None], 1))


def _pack(masks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n, h, w) of 0 and 1 → (n, ceil(h·w / 64)) words."""
    bits = np.packbits(masks.reshape(len(masks), -1), axis=1)
    padded = np.zeros((len(masks), -(-bits.shape[1] // 8) * 8), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def _paint(outlines: Sequence[Points], shape: tuple[int, ...]) -> _Grey:
    """Masks (n, h, w) of outlines, widened by a pixel, because folds are thin."""
    height, width = shape[:2]
    # One below the other with an empty row between, so that one call widens them all.
    masks = np.zeros((len(outlines), height + 1, width), np.uint8)
    for mask, outline in zip(masks, outlines, strict=True):
        polygon = np.round(np.clip(outline, -2000, 2000) * 8).astype(np.int32)
        cv2.fillPoly(mask[:height], [polygon], 1, cv2.LINE_8, 3)
    stacked = masks.reshape(-1, width)
    cv2.dilate(stacked, np.ones((3, 3), np.uint8), dst=stacked)
    return masks[:, :height]


def _middle(outline: Points) -> NDArray[np.float64]:
    """(2,) xy: the middle of the outline's bounds, which its number of points does not pull."""
    return np.asarray((outline.min(axis=0) + outline.max(axis=0)) / 2, np.float64)


def _is_alike(before: Points, after: Points) -> bool:
    """Whether an outline moved rather than merged, fell apart or was cut by the rim."""
    sizes = np.ptp(before, axis=0), np.ptp(after, axis=0)
    return bool(np.all(np.abs(sizes[0] - sizes[1]) <= 0.2 * np.maximum(*sizes) + 1))


def _small_grey(image: Image, side: int) -> tuple[_Grey, float]:
    """A small grey picture and its pixels per frame pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Every few pixels are enough for motion; an area average of the whole frame costs ten times.
    small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    return np.asarray(grey, np.uint8), scale
