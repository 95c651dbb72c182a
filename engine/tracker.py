"""Identity of folds over time: a fold keeps its number, and so its colour.

Each frame, the camera's motion is estimated from sparse optical flow on a small grey picture;
remembered outlines move along with it and with their own drift, and the new folds are matched to
them by overlap. Where folds merge, the one that was seen most gives its number; where one falls
apart, its largest part keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from engine.motion import Grey, camera_motion, small_grey
from engine.overlap import SharedAreas, paint_outlines
from engine.types import FoldInstance, Frame, Points, TrackedFolds, read_only

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


@dataclass(frozen=True, slots=True)
class _Sight:
    """What was last seen, and how it moved. Never changed: another thread may read it."""

    frame: Frame
    grey: Grey
    scale: float
    """Small pixels per frame pixel."""
    folds: tuple[FoldInstance, ...]
    drifts: tuple[NDArray[np.float64], ...]
    """(2,) xy of each fold, small pixels per second relative to the camera's motion."""


class Tracker:
    """Call `update` in presentation order; `reset` after a jump in time.

    One thread updates and resets. `foreseen` may be called from any thread at any time.
    """

    def __init__(self, options: TrackerOptions = TrackerOptions()) -> None:
        self._options = options
        self._last_number = 0
        self._tracks: list[_Track] = []
        self._grey: Grey | None = None
        self._now_s = 0.0
        self._sight: _Sight | None = None

    def reset(self) -> None:
        """Forget everything but the numbers already given."""
        self._tracks.clear()
        self._grey = self._sight = None

    def update(self, frame: Frame, folds: tuple[FoldInstance, ...]) -> tuple[FoldInstance, ...]:
        """The same folds with `track` set; uncertain folds without a past are left out."""
        grey, scale = small_grey(frame.image, self._options.side)
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
        drifts = tuple(matches[i].drift for i in range(len(folds)) if i in matches)
        self._sight = _Sight(frame, grey, scale, tuple(tracked), drifts)
        return self._sight.folds

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """The folds of the last update, moved to where they should be in a later frame.

        Nothing is learned from it. None when nothing can be foreseen: before the first update,
        for an earlier frame, or for one of another size.
        """
        sight = self._sight
        if sight is None or frame.image.shape != sight.frame.image.shape:
            return None
        elapsed_s = frame.pts_s - sight.frame.pts_s
        if elapsed_s < 0:
            return None
        motion = camera_motion(sight.grey, small_grey(frame.image, self._options.side)[0])
        folds = tuple(
            _moved(fold, motion, drift * elapsed_s, sight.scale)
            for fold, drift in zip(sight.folds, sight.drifts, strict=True)
        )
        return TrackedFolds(folds, frame, sight.frame)

    def _foresee(self, grey: Grey, now_s: float) -> None:
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
            paint_outlines([track.outline for track in self._tracks], shape),
            paint_outlines(outlines, shape),
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


def _moved(
    fold: FoldInstance, motion: NDArray[np.float64], drift: NDArray[np.float64], scale: float
) -> FoldInstance:
    """A fold carried along, on its frame; `motion` and `drift` are of the small picture."""

    def carried(outline: Points) -> Points:
        small = (outline + 0.5) * scale - 0.5
        moved = small @ motion[:, :2].T + motion[:, 2] + drift
        return read_only(((moved + 0.5) / scale - 0.5).astype(np.float32))

    return replace(
        fold,
        contour=carried(fold.contour),
        area_px=fold.area_px * float(abs(np.linalg.det(motion[:, :2]))),
        holes=tuple(carried(hole) for hole in fold.holes),
    )


def _middle(outline: Points) -> NDArray[np.float64]:
    """(2,) xy: the middle of the outline's bounds, which its number of points does not pull."""
    return np.asarray((outline.min(axis=0) + outline.max(axis=0)) / 2, np.float64)


def _is_alike(before: Points, after: Points) -> bool:
    """Whether an outline moved rather than merged, fell apart or was cut by the rim."""
    sizes = np.ptp(before, axis=0), np.ptp(after, axis=0)
    return bool(np.all(np.abs(sizes[0] - sizes[1]) <= 0.2 * np.maximum(*sizes) + 1))
