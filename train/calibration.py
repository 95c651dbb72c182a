"""Whether a probability means what it says: reliability diagram and expected calibration error."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Mask, Probability
from train.charts import Axes, line_chart, marks_for

BINS = 15
Reliability = NDArray[np.float64]
"""(bins, 3): pixels, sum of their probabilities, how many are fold; adds up over frames."""


def reliability(
    probability: Probability, truth: Mask, valid: Mask, bins: int = BINS
) -> Reliability:
    """Counts of one frame (H, W) in bins of equal width; 1.0 belongs to the last."""
    said, true = probability[valid].astype(np.float64), truth[valid]
    number = np.minimum((said * bins).astype(np.int64), bins - 1)
    columns = (None, said, true.astype(np.float64))
    return np.stack([np.bincount(number, weights, minlength=bins) for weights in columns], axis=1)


def calibration_error(counts: Reliability) -> NDArray[np.float64]:
    """Σ (n_b / n) |mean probability - share of folds| of (..., bins, 3); NaN without pixels.

    Naeini, Cooper & Hauskrecht 2015 (AAAI), for the probability of fold, not of the winner: most
    pixels are surely no fold, and a winner's error would praise every network for them.
    """
    pixels = counts[..., 0].sum(-1)
    apart = np.abs(counts[..., 1] - counts[..., 2]).sum(-1)
    return np.where(pixels > 0, apart / np.where(pixels > 0, pixels, 1), np.nan)


def reliability_curve(counts: Reliability) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) mean probability and (n,) share of folds of the bins that hold any pixel."""
    filled = counts[counts[:, 0] > 0]
    return filled[:, 1] / filled[:, 0], filled[:, 2] / filled[:, 0]


def reliability_chart(measured: Mapping[str, Reliability]) -> Image:
    """(H, W, 3) RGB: a line a network; on the diagonal, what is said is what is."""
    marks = marks_for(0.0, 1.0, 6)
    axes = Axes(
        "share of pixels that are fold", "said: probability of fold", (0, 1), (0, 1), marks, marks
    )
    straight = np.array([0.0, 1.0])
    curves = {"as it should be": (straight, straight)}
    return line_chart(axes, curves | {n: reliability_curve(c) for n, c in measured.items()})
