"""A tracker at work on one clip, and how well it did."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.types import FoldInstance, Frame, Labels
from train.tracking.consistency import consistency
from train.tracking.inputs import Clip
from train.tracking.scores import Scores
from train.tracking.sightings import Sighting, paint_tracks

Folds = tuple[FoldInstance, ...]


class Follow(Protocol):
    """A tracker."""

    def update(self, frame: Frame, folds: Folds) -> Folds:
        """The folds that are shown, with `track` set."""
        ...


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean that adds up."""

    total: float = 0.0
    count: int = 0

    def __add__(self, other: Mean) -> Mean:
        return Mean(self.total + other.total, self.count + other.count)

    @classmethod
    def of(cls, values: Iterable[float]) -> Mean:
        """Of all that are numbers."""
        known = [value for value in values if not np.isnan(value)]
        return cls(float(np.sum(known)), len(known))

    @property
    def value(self) -> float:
        """NaN of nothing."""
        return self.total / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class Followed:
    """One sequence, or several, as a tracker showed it."""

    scores: Scores
    consistency: Mean
    """Of the mask with the one before, over frames (mTC)."""
    iou: Mean
    """Of the mask with the true one, over frames."""
    took_ms: Mean

    def __add__(self, other: Followed) -> Followed:
        return Followed(
            self.scores + other.scores,
            self.consistency + other.consistency,
            self.iou + other.iou,
            self.took_ms + other.took_ms,
        )


def follow(clip: Clip, folds: Sequence[Folds], tracker: Follow) -> tuple[Followed, list[Labels]]:
    """Run a tracker over a clip; also returns what it showed, (H, W) tracks of each frame."""
    shown, took_ms = [], []
    for frame, found in zip(clip.frames, folds, strict=True):
        started_s = time.perf_counter()
        tracked = tracker.update(frame, found)
        took_ms.append((time.perf_counter() - started_s) * 1e3)
        shown.append(paint_tracks(tracked, clip.truths[0].shape))
    pairs = list(zip(clip.truths, shown, strict=True))
    followed = Followed(
        Scores.of([Sighting.of(truth, labels) for truth, labels in pairs]),
        steadiness(clip, shown),
        Mean.of(_iou(truth, labels) for truth, labels in pairs),
        Mean.of(took_ms),
    )
    return followed, shown


def steadiness(clip: Clip, shown: Sequence[Labels]) -> Mean:
    """Flow-warped IoU of each frame's mask with the one before."""
    return Mean.of(
        consistency(flow, before > 0, after > 0)
        for flow, before, after in zip(clip.flows, shown, shown[1:], strict=False)
    )


def _iou(truth: Labels, labels: Labels) -> float:
    """Of the masks; NaN where no fold is in view."""
    if not (truth > 0).any():
        return float("nan")
    either = np.count_nonzero((truth > 0) | (labels > 0))
    return np.count_nonzero((truth > 0) & (labels > 0)) / either
