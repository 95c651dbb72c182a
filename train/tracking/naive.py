"""The tracker to beat: a fold is the one it overlaps most, and nothing is known of motion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from engine.overlap import SharedAreas, paint_outlines
from engine.types import FoldInstance, Frame, Points


@dataclass(frozen=True, slots=True)
class NaiveOptions:
    """As Bochinski et al. 2017, with a memory as long as the frames of a short loss."""

    side: int = 160
    """Longer side of the picture on which overlap is measured, pixels."""
    least_iou: float = 0.2
    memory_s: float = 0.4


@dataclass(slots=True)
class _Known:
    track: int
    outline: Points
    seen_s: float


class NaiveTracker:
    """Intersection over union with where each fold was last seen, and Hungarian assignment."""

    def __init__(self, options: NaiveOptions = NaiveOptions()) -> None:
        self._options = options
        self._known: list[_Known] = []
        self._last = 0

    def update(self, frame: Frame, folds: tuple[FoldInstance, ...]) -> tuple[FoldInstance, ...]:
        """The same folds with `track` set."""
        memory_s = self._options.memory_s
        self._known = [each for each in self._known if frame.pts_s - each.seen_s <= memory_s]
        height, width = frame.image.shape[:2]
        scale = min(1.0, self._options.side / max(height, width))
        shape = max(1, round(height * scale)), max(1, round(width * scale))
        outlines = [((fold.contour + 0.5) * scale - 0.5).astype(np.float32) for fold in folds]
        matches = self._match(outlines, shape)
        tracked = []
        for i, (fold, outline) in enumerate(zip(folds, outlines, strict=True)):
            if i not in matches:
                self._last += 1
                matches[i] = _Known(self._last, outline, frame.pts_s)
                self._known.append(matches[i])
            matches[i].outline, matches[i].seen_s = outline, frame.pts_s
            tracked.append(replace(fold, track=matches[i].track))
        return tuple(tracked)

    def _match(self, outlines: list[Points], shape: tuple[int, int]) -> dict[int, _Known]:
        if not outlines or not self._known:
            return {}
        before = paint_outlines([each.outline for each in self._known], shape)
        iou = SharedAreas.of(before, paint_outlines(outlines, shape)).iou()
        rows, columns = linear_sum_assignment(-iou)
        return {
            int(column): self._known[row]
            for row, column in zip(rows, columns, strict=True)
            if iou[row, column] >= self._options.least_iou
        }
