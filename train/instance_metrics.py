"""How well single folds are told apart: average precision and panoptic quality.

A found fold may be right for one true fold only, and the other way round: rings that are joined,
and one fold in two pieces, cost in every figure here, whatever the masks have in common.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.types import FoldInstance, Labels, Mask
from train.simulate.agreement import average_precision
from train.tracking.sightings import SMALLEST_PX, Sighting, paint_tracks

LEVELS = tuple(0.5 + 0.05 * step for step in range(10))
"""IoU from which on a fold is right, as COCO averages over them."""
_PIECE = 0.2
"""A found fold is a piece of a true one if it holds more than this of it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The found folds of one frame held against the true ones."""

    iou: NDArray[np.float64]
    """(n, m) of n true folds and m found ones."""
    scores: NDArray[np.float64]
    """(m,) how certain each found fold is."""


@dataclass(frozen=True, slots=True)
class PanopticQuality:
    """Kirillov et al., Panoptic Segmentation (CVPR 2019), equations 1 and 2."""

    segmentation: float
    """Mean IoU of the pairs: SQ."""
    recognition: float
    """F1 of the pairs: RQ."""

    @property
    def value(self) -> float:
        """PQ = SQ · RQ."""
        return self.segmentation * self.recognition


def compare_folds(
    folds: Iterable[FoldInstance], truth: Labels, is_ignored: Mask | None = None
) -> Compared:
    """Hold folds against true ones (h, w), 0 for none.

    Pixels that are ignored, such as folds without a name, count for nobody: they are taken out
    of every found fold.
    """
    folds = tuple(folds)
    score_of = {fold.label: fold.score for fold in folds}
    found = paint_found(folds, truth.shape, is_ignored)
    seen = Sighting.of(truth, found)
    return Compared(seen.iou, np.array([score_of[int(label)] for label in seen.tracks]))


def paint_found(
    folds: Iterable[FoldInstance], shape: tuple[int, int], is_ignored: Mask | None = None
) -> Labels:
    """(h, w) label of the fold at each pixel, 0 for none and where pixels are ignored."""
    found = paint_tracks((replace(fold, track=fold.label) for fold in folds), shape)
    if is_ignored is not None:
        found[is_ignored] = 0
    return found


def count_fragmented(found: Labels, truth: Labels, smallest: int = SMALLEST_PX) -> tuple[int, int]:
    """(true folds that lie in pieces, true folds): two found ones or more hold a fifth of it each.

    True folds of fewer than `smallest` pixels are left out.
    """
    areas = np.bincount(truth.ravel())
    areas[0] = 0
    numbers = np.flatnonzero(areas >= smallest).tolist()
    broken = 0
    for number in numbers:
        shares = np.bincount(found[truth == number]) / areas[number]
        broken += int(np.count_nonzero(shares[1:] > _PIECE) > 1)
    return broken, len(numbers)


def match_at(compared: Compared, level: float) -> list[tuple[float, bool]]:
    """(score, is right) of each found fold: the more certain ones choose first."""
    free = compared.iou.copy()
    matches = []
    for found in np.argsort(-compared.scores, kind="stable"):
        best = int(free[:, found].argmax()) if len(free) else -1
        is_right = best >= 0 and bool(free[best, found] >= level)
        if is_right:
            free[best] = -1.0
        matches.append((float(compared.scores[found]), is_right))
    return matches


def average_precision_at(frames: Sequence[Compared], level: float) -> float:
    """Area under the precision-recall curve over all frames; NaN without a true fold."""
    scored = [match for each in frames for match in match_at(each, level)]
    return average_precision(scored, sum(len(each.iou) for each in frames))


def mean_average_precision(frames: Sequence[Compared]) -> float:
    """AP50:95: the mean over `LEVELS`."""
    return float(np.mean([average_precision_at(frames, level) for level in LEVELS]))


def panoptic_quality(frames: Sequence[Compared]) -> PanopticQuality:
    """Over all frames. Above one half, no fold can be in two pairs.

    Without a pair the mean IoU is 0; without any fold, true or found, both are NaN.
    """
    ious = np.concatenate([each.iou[each.iou > 0.5] for each in frames])
    folds = sum(sum(each.iou.shape) for each in frames)
    if not folds:
        return PanopticQuality(float("nan"), float("nan"))
    return PanopticQuality(float(ious.mean()) if len(ious) else 0.0, 2 * len(ious) / folds)
