"""How good a mask is, per frame and pooled, with intervals over sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.types import Mask, Probability

Counts = NDArray[np.int64]
"""(frames, thresholds, 3): true positives, false positives, false negatives."""

_Item = TypeVar("_Item")

THRESHOLDS: NDArray[np.float64] = np.round(np.arange(0.10, 0.951, 0.05), 2)


def overlap_counts(
    probability: Probability, truth: Mask, valid: Mask, thresholds: NDArray[np.float64]
) -> Counts:
    """(thresholds, 3) true positives, false positives, false negatives in one frame.

    Args:
        probability: (h, w), 0..1.
        truth: (h, w).
        valid: (h, w); other pixels do not count.
        thresholds: a pixel is called fold where its probability is at least this.
    """
    inside = probability[valid & truth]
    outside = probability[valid & ~truth]
    called = [(inside >= limit).sum() for limit in thresholds]
    false = [(outside >= limit).sum() for limit in thresholds]
    found = np.array(called, np.int64)
    return np.stack([found, np.array(false, np.int64), inside.size - found], axis=1)


def iou(counts: Counts) -> NDArray[np.float64]:
    """TP / (TP + FP + FN) over the last axis; NaN where there is nothing to find or be found."""
    total = counts.sum(-1)
    return np.where(total > 0, counts[..., 0] / np.maximum(total, 1), np.nan)


def mean_iou(counts: Counts) -> NDArray[np.float64]:
    """(thresholds,) mean over the frames that show any fold; NaN without such frames."""
    shows_fold = (counts[..., 0] + counts[..., 2]).max(1, initial=0) > 0
    if not shows_fold.any():
        return np.full(counts.shape[1], np.nan)
    return np.asarray(iou(counts[shows_fold]).mean(0))


def pooled_iou(counts: Counts) -> NDArray[np.float64]:
    """(thresholds,) IoU of all frames' pixels taken together."""
    return iou(counts.sum(0))


def best_threshold(
    counts: Counts, thresholds: NDArray[np.float64], tolerance: float = 0.001
) -> float:
    """The highest threshold within `tolerance` of the best mean of per-frame and pooled IoU.

    IoU is flat around its best; of equally good thresholds the highest calls least by mistake.
    """
    score = (mean_iou(counts) + pooled_iou(counts)) / 2
    return float(thresholds[np.flatnonzero(score >= np.nanmax(score) - tolerance)[-1]])


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the 95 % bootstrap interval around it."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "unknown"
        if np.isnan(self.low):
            return f"{self.value:.3f} [unknown]"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_dict(self) -> dict[str, float | None]:
        """For JSON, which has no NaN: None is not known."""
        known = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(value) else value for name, value in known.items()}


def bootstrap(
    groups: Sequence[NDArray[np.int64]],
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """`statistic` over all rows, with an interval from redrawing whole groups (sequences).

    Frames of one sequence resemble each other: redrawing single frames would make the interval
    look narrower than it is.
    """
    (interval,) = bootstrap_items(
        groups, lambda drawn: [statistic(np.concatenate(drawn))], resamples=resamples, seed=seed
    )
    return interval


def bootstrap_items(
    items: Sequence[_Item],
    statistics: Callable[[list[_Item]], Sequence[float]],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Interval]:
    """`statistics` over all items, with intervals from redrawing them with replacement.

    Draws in which a statistic is NaN do not count for it; it has no interval if all are. A single
    item tells nothing of how others would vary: no interval either.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        chosen = rng.integers(len(items), size=len(items))
        drawn.append(statistics([items[number] for number in chosen]))
    intervals = []
    for value, column in zip(statistics(list(items)), np.array(drawn, float).T, strict=True):
        intervals.append(interval_of(value, column, len(items)))
    return intervals


def interval_of(value: float, redrawn: NDArray[np.float64], items: int) -> Interval:
    """A figure with the 95 % of its values (draws,) when `items` were redrawn, those known."""
    known = redrawn[~np.isnan(redrawn)] if items > 1 else redrawn[:0]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (np.nan, np.nan)
    return Interval(value, float(low), float(high))


def area_called(probability: Probability, region: Mask, threshold: float) -> tuple[int, int]:
    """(pixels of `region` called fold, pixels of `region`)."""
    return int((probability[region] >= threshold).sum()), int(region.sum())
