"""Identity of folds over time: a fold keeps its number, and so its colour.

A track believes in an outline. From frame to frame it moves along with the picture (`motion`), and
the folds that are found are matched to tracks by overlap. A fold that is found in another shape
(merged with its neighbour, in parts, half hidden) shows its track, but a new shape must last for a
while before the track believes in it: so those that merged or fell apart for a moment come out of
it as they went in. While folds are merged, the one that was seen most gives its number; parts of
one share it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from engine.motion import Grey, carry, outline_motions, picture_flow, small_grey
from engine.overlap import SharedAreas, paint_outlines
from engine.types import FoldInstance, Frame, Points, TrackedFolds, read_only


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """When folds are the same, and how long one is remembered."""

    side: int = 160
    """Longer side of the picture on which overlap and motion are measured, pixels."""
    smallest_overlap: float = 0.3
    lost_factor: float = 0.8
    """On the overlap of a fold not found in the last frame: those just found come first."""
    merged_share: float = 0.6
    """A fold that lies by this share in another one has merged with it."""
    part_share: float = 0.7
    """What lies by this share in a fold is part of it."""
    alike_iou: float = 0.35
    """A fold found with less overlap than this has another shape."""
    patience_s: float = 0.2
    """A new shape is believed after this."""
    proof_s: float = 0.3
    """A fold that stood alone for less takes what the others leave."""
    memory_s: float = 1.0
    """A fold lost for longer gets a new number."""
    colours: int = 5
    """Numbers that differ by a multiple of this are painted alike; a new fold avoids those."""
    new_score: float = 0.0
    """A fold not seen before must be at least this certain; a remembered one need not."""


@dataclass(slots=True)
class _Track:
    number: int
    outline: Points
    """(n, 2) xy on the small picture: what it is believed to look like by now."""
    alone_s: float
    """Since when it stands alone; a merger does not end that once it has proved itself."""
    seen_s: float
    standing: float = 0.0
    """How much it was seen: its area, summed over the frames in which it gave its number."""
    doubted_s: float | None = None
    """Since when it has been found in another shape."""
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class _Sight:
    """What was last seen. Never changed: another thread may read it."""

    frame: Frame
    grey: Grey
    scale: float
    """Small pixels per frame pixel."""
    folds: tuple[FoldInstance, ...]


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
        """The same folds with `track` set; uncertain folds without a past are left out.

        Two folds have the same track while they are parts of what was one a moment ago.
        """
        grey, scale = small_grey(frame.image, self._options.side)
        self._foresee(grey, frame.pts_s)
        outlines = [_to_small(outline_around(fold), scale) for fold in folds]
        shown_by = self._recognise(outlines, grey.shape)
        tracked = []
        for i, fold in enumerate(folds):
            if i not in shown_by:
                if fold.score < self._options.new_score:
                    continue
                shown_by[i] = self._begin(outlines[i])
            tracked.append(replace(fold, track=shown_by[i].number))
        self._forget()
        self._sight = _Sight(frame, grey, scale, tuple(tracked))
        return self._sight.folds

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """The folds of the last update, moved to where they should be in a later frame.

        Nothing is learned from it. None when nothing can be foreseen: before the first update,
        for an earlier frame, or for one of another size.
        """
        sight = self._sight
        if sight is None or frame.image.shape != sight.frame.image.shape:
            return None
        if frame.pts_s < sight.frame.pts_s:
            return None
        if not sight.folds:
            return TrackedFolds((), frame, sight.frame)
        flow = picture_flow(sight.grey, small_grey(frame.image, self._options.side)[0])
        small = [_to_small(outline_around(fold), sight.scale) for fold in sight.folds]
        folds = tuple(
            _moved(fold, motion, sight.scale)
            for fold, motion in zip(sight.folds, outline_motions(small, flow), strict=True)
        )
        return TrackedFolds(folds, frame, sight.frame)

    def _foresee(self, grey: Grey, now_s: float) -> None:
        """Move remembered outlines to where they should be by now."""
        before, self._grey = self._grey, grey
        if now_s < self._now_s:
            self._tracks.clear()
        self._now_s = now_s
        if not self._tracks or before is None:
            return
        flow = picture_flow(before, grey)
        motions = outline_motions([track.outline for track in self._tracks], flow)
        for track, motion in zip(self._tracks, motions, strict=True):
            track.outline = carry(track.outline, motion)

    def _recognise(self, outlines: list[Points], shape: tuple[int, ...]) -> dict[int, _Track]:
        """The track of each fold that has a past, by its position; tracks learn what was seen."""
        tracks = self._tracks
        if not outlines or not tracks:
            for track in tracks:
                track.is_lost = True
            return {}
        areas = SharedAreas.of(
            paint_outlines([track.outline for track in tracks], shape),
            paint_outlines(outlines, shape),
        )
        matches = self._assign(areas)
        merged = self._merged(areas, matches)
        part_of = self._parts(areas, matches)
        is_alike = areas.iou() >= self._options.alike_iou
        shown_by = {}
        found: set[int] = set()
        for column, row in matches.items():
            rows = [row, *np.flatnonzero(merged == column).tolist()]
            leader = max((tracks[each] for each in rows), key=lambda track: track.standing)
            leader.standing += cv2.contourArea(outlines[column])
            shown_by[column] = leader
            found.update(rows)
            is_whole = len(rows) == 1 and row not in part_of.values()
            for each in rows:
                if tracks[each] is not leader and not self._is_proven(tracks[each]):
                    tracks[each].alone_s = self._now_s
                if is_whole and is_alike[each, column]:
                    self._believe(tracks[each], outlines[column])
                else:
                    self._doubt(tracks[each], outlines[column], tracks[each] is leader)
        for each, track in enumerate(tracks):
            track.is_lost = track.is_lost or each not in found
        column_of = {row: column for column, row in matches.items()}
        return shown_by | {part: shown_by[column_of[row]] for part, row in part_of.items()}

    def _assign(self, areas: SharedAreas) -> dict[int, int]:
        """Rows by column, so that the total overlap is largest: first of proven tracks.

        So a part that was once taken for a fold of its own cannot take the rest from the fold.
        """
        is_lost = np.array([track.is_lost for track in self._tracks])
        overlap = areas.overlap() * np.where(is_lost, self._options.lost_factor, 1.0)[:, None]
        is_proven = np.array([self._is_proven(track) for track in self._tracks])
        matches: dict[int, int] = {}
        for is_next in (is_proven, ~is_proven):
            left = np.where(is_next[:, None], overlap, 0.0)
            left[:, list(matches)] = 0.0
            rows, columns = linear_sum_assignment(-left)
            is_match = left[rows, columns] >= self._options.smallest_overlap
            matches |= zip(columns[is_match].tolist(), rows[is_match].tolist(), strict=True)
        return matches

    def _is_proven(self, track: _Track) -> bool:
        return self._now_s - track.alone_s >= self._options.proof_s

    def _merged(self, areas: SharedAreas, matches: dict[int, int]) -> NDArray[np.intp]:
        """(tracks,) column of the fold that each track has merged with, -1 for none."""
        if not matches:
            return np.full(len(self._tracks), -1)
        columns = np.array(list(matches), np.intp)
        inside = areas.share_inside()[:, columns]
        best = inside.argmax(axis=1)
        is_merged = inside.max(axis=1) >= self._options.merged_share
        is_merged[list(matches.values())] = False
        for row, track in enumerate(self._tracks):
            is_merged[row] &= self._now_s - track.seen_s <= self._options.patience_s
        return np.where(is_merged, columns[best], -1)

    def _parts(self, areas: SharedAreas, matches: dict[int, int]) -> dict[int, int]:
        """Rows by the columns that are further parts of a fold that was just found."""
        rows = list(matches.values())
        if not rows:
            return {}
        share = (areas.shared / np.maximum(areas.after, 1))[rows]
        best = share.argmax(axis=0)
        return {
            column: rows[best[column]]
            for column in np.flatnonzero(share.max(axis=0) >= self._options.part_share).tolist()
            if column not in matches
        }

    def _believe(self, track: _Track, outline: Points) -> None:
        """It was found as it is."""
        track.outline, track.seen_s = outline, self._now_s
        track.doubted_s, track.is_lost = None, False

    def _doubt(self, track: _Track, outline: Points, is_leader: bool) -> None:
        """It was found in another shape, alone or merged with others."""
        if track.doubted_s is None:
            track.doubted_s = self._now_s
        if self._now_s - track.doubted_s < self._options.patience_s:
            track.seen_s, track.is_lost = self._now_s, False
        elif is_leader:
            self._believe(track, outline)
        else:
            track.is_lost = True

    def _begin(self, outline: Points) -> _Track:
        self._last_number = self._next_number()
        track = _Track(self._last_number, outline, self._now_s, self._now_s)
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


def outline_around(fold: FoldInstance) -> Points:
    """(n, 2) xy of one outline around all parts: there and back by the shortest ways between."""
    around = fold.contour
    for part in fold.parts:
        off = ((around[:, None] - part) ** 2).sum(-1)
        here, there = np.unravel_index(int(off.argmin()), off.shape)
        back = np.roll(part, -int(there), axis=0)
        around = np.concatenate([around[: here + 1], back, back[:1], around[here:]])
    return around


def _to_small(outline: Points, scale: float) -> Points:
    """Frame pixels → pixels of the small picture; a small one covers `1 / scale` frame pixels."""
    return np.asarray((outline + 0.5) * scale - 0.5, np.float32)


def _moved(fold: FoldInstance, motion: NDArray[np.float64], scale: float) -> FoldInstance:
    """A fold carried along, on its frame; `motion` is of the small picture."""

    def carried(outline: Points) -> Points:
        moved = carry(_to_small(outline, scale), motion)
        return read_only(((moved + 0.5) / scale - 0.5).astype(np.float32))

    return replace(
        fold,
        contour=carried(fold.contour),
        area_px=fold.area_px * float(abs(np.linalg.det(motion[:, :2]))),
        holes=tuple(carried(hole) for hole in fold.holes),
        parts=tuple(carried(part) for part in fold.parts),
    )
