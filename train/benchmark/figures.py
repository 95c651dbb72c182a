"""From scores to figures: sums of every sequence first, so that a bootstrap only adds them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.benchmark.scores import Scores
from train.calibration import BINS, calibration_error
from train.edge_metrics import edge_average_precision, ods, ois
from train.instance_metrics import (
    Compared,
    average_precision_at,
    mean_average_precision,
)
from train.metrics import Interval, interval_of, iou
from train.paired import sign_flip_p

FIGURES = ("IoU", "Dice", "boundary F", "PQ", "steadiness", "ECE", "called fold")
"""The last two: less is better. All per picture, but PQ, ECE and the last, which are pooled."""
EDGE_FIGURES = ("edge Dice", "ODS", "OIS", "edge AP")
"""Dice per picture at the threshold of validation, the others pooled over all thresholds."""
_RESAMPLES = 1000

Sums = NDArray[np.float64]
"""(sequences, seeds, columns): what adds up over frames."""
_RATIOS = len(FIGURES) - 1
"""Figures that are a sum over another; their columns come first, two by two."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One row of the table on one test set, over all seeds."""

    figures: tuple[Interval, ...]
    """`FIGURES`: means over seeds, intervals over sequences."""
    deviation: float
    """Of IoU from picture to picture, as the paper's ±; mean over seeds."""
    seeds: tuple[float, ...]
    """IoU of each."""
    thresholds: tuple[float, ...]
    """Of each seed, chosen by validation pictures."""
    ap50: float
    ap: float
    """AP50:95; both means over seeds."""
    edges: tuple[float, ...]
    """`EDGE_FIGURES`, means over seeds; NaN where edges were not scored."""
    frames: int
    sequences: int
    difference: Interval | None
    """Of IoU, less that of another row on the same pictures."""
    p: float
    """That a difference as large comes about by chance; not adjusted for other rows."""


def measured(runs: Sequence[Scores], against: Sequence[Scores] | None) -> Measured:
    """Figures of one row: its seeds, and those of the row that it is held against."""
    sums = sequence_sums(runs)
    values = [iou(run.counts[_shows_fold(run)])[:, 0] for run in runs]
    difference, p = None, float("nan")
    if against is not None:
        difference, p = _difference(sequence_sums(against), sums)
    return Measured(
        figures=intervals(sums, _means),
        deviation=_mean([float(each.std()) for each in values if len(each)]),
        seeds=tuple(float(each.mean()) if len(each) else float("nan") for each in values),
        thresholds=tuple(run.threshold for run in runs),
        ap50=_mean([average_precision_at(_known(run), 0.5) for run in runs]),
        ap=_mean([mean_average_precision(_known(run)) for run in runs]),
        edges=tuple(_mean(column) for column in zip(*map(_edge_figures, runs), strict=True)),
        frames=len(runs[0]),
        sequences=len(runs[0].sequences),
        difference=difference,
        p=p,
    )


def sequence_sums(runs: Sequence[Scores]) -> Sums:
    """Of every sequence and every seed."""
    rows = [_frame_sums(run) for run in runs]
    return np.stack([
        np.stack([row[run.sequence == at].sum(0) for row, run in zip(rows, runs, strict=True)])
        for at in range(len(runs[0].sequences))
    ])  # fmt: skip


def intervals(sums: Sums, figures: Callable[[Sums], NDArray[np.float64]]) -> tuple[Interval, ...]:
    """Figures of all sequences together, with 95 % from redrawing them with replacement.

    A single sequence tells nothing of how others would vary: no interval then.

    Args:
        sums: of the sequences.
        figures: (draws, seeds, columns) → (draws, k).
    """
    count = len(sums)
    drawn = np.random.default_rng(0).integers(count, size=(_RESAMPLES, count))
    often = np.stack([np.bincount(each, minlength=count) for each in drawn])
    redrawn = figures(np.tensordot(often, sums, axes=1))
    values = figures(sums.sum(0)[None])[0]
    return tuple(
        interval_of(value, column, count)
        for value, column in zip(values.tolist(), redrawn.T, strict=True)
    )


def _frame_sums(run: Scores) -> NDArray[np.float64]:
    """(n, columns): sums and their counts by turns, reliability last."""
    shows = _shows_fold(run)
    counts = run.counts[:, 0].astype(float)
    total = np.maximum(counts.sum(1), 1)
    dice = 2 * counts[:, 0] / np.maximum(2 * counts[:, 0] + counts[:, 1] + counts[:, 2], 1)
    pairs = [_pairs(each) for each in run.compared]
    columns = [
        np.where(shows, counts[:, 0] / total, 0), shows,
        np.where(shows, dice, 0), shows,
        *_known_part(run.boundary_f), *np.array(pairs, float).T,
        *_known_part(run.steadiness), *run.called.T,
    ]  # fmt: skip
    return np.concatenate(
        [np.stack([np.asarray(each, float) for each in columns], 1),
         run.reliability.reshape(len(run), -1)], axis=1,
    )  # fmt: skip


def _known_part(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    known = ~np.isnan(values)
    return np.where(known, values, 0), known


def _pairs(compared: Compared | None) -> tuple[float, float]:
    """Σ IoU of pairs above one half, and half of all folds, true and found: PQ is their ratio."""
    if compared is None:
        return 0.0, 0.0
    return float(compared.iou[compared.iou > 0.5].sum()), sum(compared.iou.shape) / 2


def _means(totals: Sums) -> NDArray[np.float64]:
    """(draws, figures): `FIGURES` of each seed, then their mean over seeds that know them."""
    ratios = _ratios(totals)
    errors = calibration_error(totals[..., 2 * _RATIOS :].reshape(*totals.shape[:2], BINS, 3))
    both = np.concatenate([ratios[..., :-1], errors[..., None], ratios[..., -1:]], axis=-1)
    return _over_seeds(both)


def _ratios(totals: Sums) -> NDArray[np.float64]:
    """(draws, seeds, ratios), NaN where nothing is counted."""
    over, under = totals[..., : 2 * _RATIOS : 2], totals[..., 1 : 2 * _RATIOS : 2]
    return np.where(under > 0, over / np.where(under > 0, under, 1), np.nan)


def _over_seeds(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(draws, seeds, k) → (draws, k)."""
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0).sum(1), known.sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _difference(first: Sums, second: Sums) -> tuple[Interval, float]:
    """Mean IoU of the second less the first's, both of the same redrawn sequences."""
    split = first.shape[1]

    def difference(totals: Sums) -> NDArray[np.float64]:
        one, other = totals[:, :split], totals[:, split:]
        return _over_seeds(_ratios(other)[..., :1]) - _over_seeds(_ratios(one)[..., :1])

    both = np.concatenate([first, second], axis=1)
    (interval,) = intervals(both, difference)
    return interval, sign_flip_p(difference(both)[:, 0].tolist())


def _edge_figures(run: Scores) -> tuple[float, ...]:
    if not run.edges.any():
        return (float("nan"),) * len(EDGE_FIGURES)
    dice = _mean(run.edge_dice.tolist())
    return dice, ods(run.edges), ois(run.edges), edge_average_precision(run.edges)


def _shows_fold(run: Scores) -> NDArray[np.bool_]:
    return np.asarray(run.counts[:, 0, 0] + run.counts[:, 0, 2] > 0)


def _known(run: Scores) -> list[Compared]:
    return [each for each in run.compared if each is not None]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
