"""How well lines are found: edge Dice at a tolerance, and the figures of the Berkeley benchmark.

ODS, OIS and AP follow Martin, Fowlkes & Malik 2004 (TPAMI 26(5)) and Arbeláez et al. 2011 (TPAMI
33(5)): an edge map is cut at many thresholds, each cut is thinned, and its pixels are matched to
those of the truth, one to one and at most `tolerance_px` apart. Two things differ from their code:
as many pairs as possible are made, wherever in reach (theirs looks for the shortest pairs among
equally many), and maps are thinned to a skeleton only, without suppression of non-maxima before.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

from engine.types import Mask, Probability

EdgeCounts = NDArray[np.int64]
"""(frames, thresholds, 4): matched and all found pixels, matched and all true pixels."""

TOLERANCE_SHARE = 0.0075
"""Of the picture's diagonal, as the benchmark has it: 2.7 pixels at 256×256."""
EDGE_THRESHOLDS: NDArray[np.float64] = np.round(np.arange(0.03, 0.98, 0.03), 2)
_RECALL = np.linspace(0, 1, 101)
"""Where the precision-recall curve is read for AP."""


def berkeley_tolerance_px(shape: tuple[int, int]) -> float:
    """0.0075 of the diagonal of a picture (H, W)."""
    return float(TOLERANCE_SHARE * np.hypot(*shape))


def thinned(edges: Mask) -> Mask:
    """The skeleton (H, W) of lines: a width of one pixel, so that thick lines count no more."""
    return np.asarray(skeletonize(edges) > 0)  # type: ignore[no-untyped-call]


def edge_dice(found: Mask, truth: Mask, tolerance_px: float = 3.0) -> float:
    """(|F near T| + |T near F|) / (|F| + |T|) of lines (H, W) thinned; NaN where there are none.

    Nikolov et al. 2021 (JMIR 23(7)) call it surface Dice: pixels within the tolerance are right.
    """
    lines = thinned(found), thinned(truth)
    total = sum(np.count_nonzero(line) for line in lines)
    if not total:
        return float("nan")
    near = sum(
        np.count_nonzero(line & _within(other, tolerance_px))
        for line, other in (lines, reversed(lines))
    )
    return near / total


def _within(line: Mask, tolerance_px: float) -> Mask:
    if not line.any():
        return np.zeros_like(line)
    away = cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(away <= tolerance_px + 1e-3)


def matched_pixels(found: Mask, truth: Mask, tolerance_px: float) -> int:
    """How many pairs of one found and one true pixel, at most so far apart, can be made.

    Hopcroft & Karp 1973: no other assignment has more.
    """
    here, there = np.argwhere(found), np.argwhere(truth)
    if not len(here) or not len(there):
        return 0
    pairs = cKDTree(here).query_ball_point(there, tolerance_px + 1e-6)
    columns = np.concatenate([np.asarray(each, np.int32) for each in pairs])
    rows = np.repeat(np.arange(len(there)), [len(each) for each in pairs])
    graph = coo_array(
        (np.ones(len(rows), np.int8), (rows, columns)), shape=(len(there), len(here))
    ).tocsr()
    return int((maximum_bipartite_matching(graph) >= 0).sum())


def edge_counts(
    probability: Probability,
    truth: Mask,
    valid: Mask,
    tolerance_px: float,
    thresholds: NDArray[np.float64] = EDGE_THRESHOLDS,
) -> EdgeCounts:
    """(thresholds, 4) of one frame (H, W): matched found, found, matched true, true pixels.

    Found lines outside `valid` do not count.
    """
    line = thinned(truth & valid)
    counts = []
    for limit in thresholds:
        found = thinned((probability >= limit) & valid)
        pairs = matched_pixels(found, line, tolerance_px)
        counts.append([pairs, np.count_nonzero(found), pairs, np.count_nonzero(line)])
    return np.array(counts, np.int64)


def edge_f(counts: EdgeCounts) -> NDArray[np.float64]:
    """2PR / (P + R) over the last axis; 0 where nothing is matched."""
    precision, recall = _precision(counts), _recall(counts)
    return np.asarray(2 * precision * recall / np.maximum(precision + recall, 1e-12))


def ods(counts: EdgeCounts) -> float:
    """Best F of all frames' pixels together at one threshold for all of them."""
    return float(edge_f(counts.sum(0)).max())


def ois(counts: EdgeCounts) -> float:
    """F of all frames' pixels together, each frame at the threshold that is best for it.

    Where nothing can be matched at any threshold, best is to find least: the Berkeley pictures all
    have edges, ours have not.
    """
    scores = edge_f(counts)
    best = np.where(scores.max(1) > 0, scores.argmax(1), counts[..., 1].argmin(1))
    return float(edge_f(counts[np.arange(len(counts)), best].sum(0)))


def edge_average_precision(counts: EdgeCounts) -> float:
    """Mean precision over recalls 0, 0.01, ..., 1 of all frames' pixels together.

    As the benchmark reads its curve: linear between thresholds, 0 outside the recalls reached.
    """
    recall, first = np.unique(_recall(counts.sum(0)), return_index=True)
    precision = _precision(counts.sum(0))[first]
    if len(recall) < 2:
        return 0.0
    return float(np.interp(_RECALL, recall, precision, left=0, right=0).mean())


def _precision(counts: EdgeCounts) -> NDArray[np.float64]:
    return np.asarray(counts[..., 0] / np.maximum(counts[..., 1], 1))


def _recall(counts: EdgeCounts) -> NDArray[np.float64]:
    return np.asarray(counts[..., 2] / np.maximum(counts[..., 3], 1))
