"""Scores of a followed sequence: CLEAR MOT, IDF1 and HOTA, as sums that add up over sequences.

CLEAR MOT: Bernardin & Stiefelhagen 2008. IDF1: Ristani et al. 2016. HOTA: Luiten et al. 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from train.tracking.sightings import Sighting

LEAST_IOU = 0.5
"""A track shows a true fold, for CLEAR MOT and IDF1."""
ALPHAS: NDArray[np.float64] = np.round(np.arange(0.05, 0.951, 0.05), 2)
"""Localisation thresholds over which HOTA is averaged."""


@dataclass(frozen=True, slots=True)
class Clear:
    """CLEAR MOT counts."""

    truths: int = 0
    missed: int = 0
    false: int = 0
    switches: int = 0
    """A fold is shown by another track than when it was last shown."""
    fragmentations: int = 0
    """A fold is shown again after it was in view and not shown."""

    def __add__(self, other: Clear) -> Clear:
        return Clear(
            self.truths + other.truths,
            self.missed + other.missed,
            self.false + other.false,
            self.switches + other.switches,
            self.fragmentations + other.fragmentations,
        )

    @property
    def mota(self) -> float:
        """1 - (missed + false + switches) / truths; NaN without truths."""
        wrong = self.missed + self.false + self.switches
        return 1 - wrong / self.truths if self.truths else float("nan")


def clear(sightings: Sequence[Sighting], least_iou: float = LEAST_IOU) -> Clear:
    """Count over one sequence: a pair goes on while it may, the others are assigned anew."""
    total = Clear()
    shown_by: dict[int, int] = {}
    was_shown: dict[int, bool] = {}
    for each in sightings:
        pairs = _clear_pairs(each, shown_by, least_iou)
        switches = sum(shown_by.get(truth, track) != track for truth, track in pairs.items())
        resumed = sum(was_shown.get(truth) is False and truth in shown_by for truth in pairs)
        total += Clear(
            len(each.truths),
            len(each.truths) - len(pairs),
            len(each.tracks) - len(pairs),
            switches,
            resumed,
        )
        shown_by |= pairs
        was_shown |= {truth: truth in pairs for truth in each.truths.tolist()}
    return total


def _clear_pairs(each: Sighting, shown_by: dict[int, int], least_iou: float) -> dict[int, int]:
    """Track by true fold in one frame."""
    score = np.where(each.iou >= least_iou, each.iou, 0.0)
    before = np.array([shown_by.get(truth, -1) for truth in each.truths.tolist()])
    goes_on = (before[:, None] == each.tracks) & (score > 0)
    rows, columns = linear_sum_assignment(-(score + 1000.0 * goes_on))
    is_pair = score[rows, columns] > 0
    truths, tracks = each.truths[rows[is_pair]], each.tracks[columns[is_pair]]
    return dict(zip(truths.tolist(), tracks.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Identity:
    """Counts of IDF1."""

    right: int = 0
    """Frames of true folds that the one track matched to each of them shows."""
    truths: int = 0
    found: int = 0

    def __add__(self, other: Identity) -> Identity:
        return Identity(
            self.right + other.right, self.truths + other.truths, self.found + other.found
        )

    @property
    def idf1(self) -> float:
        """2 right / (truths + found); NaN without either."""
        total = self.truths + self.found
        return 2 * self.right / total if total else float("nan")


def identity(sightings: Sequence[Sighting], least_iou: float = LEAST_IOU) -> Identity:
    """Match whole tracks to whole true folds, one to one, so that they share most frames."""
    table = _Table.of(sightings)
    shared = np.zeros(table.shape, np.int64)
    for each, rows, columns in zip(sightings, table.rows, table.columns, strict=True):
        shared[np.ix_(rows, columns)] += each.iou >= least_iou
    right = shared[linear_sum_assignment(-shared)].sum()
    return Identity(int(right), int(table.of_truth.sum()), int(table.of_track.sum()))


@dataclass(frozen=True, slots=True)
class Hota:
    """Counts of HOTA, each (alphas,)."""

    right: NDArray[np.float64]
    missed: NDArray[np.float64]
    false: NDArray[np.float64]
    association: NDArray[np.float64]
    """A(c), summed over the right detections c."""

    def __add__(self, other: Hota) -> Hota:
        return Hota(
            self.right + other.right,
            self.missed + other.missed,
            self.false + other.false,
            self.association + other.association,
        )

    @property
    def detection(self) -> float:
        """DetA, mean over alphas."""
        return float(self._detections().mean())

    @property
    def associated(self) -> float:
        """AssA, mean over alphas."""
        return float(self._associations().mean())

    @property
    def hota(self) -> float:
        """Mean over alphas of the geometric mean of both."""
        return float(np.sqrt(self._detections() * self._associations()).mean())

    def _detections(self) -> NDArray[np.float64]:
        return self.right / np.maximum(self.right + self.missed + self.false, 1)

    def _associations(self) -> NDArray[np.float64]:
        return self.association / np.maximum(self.right, 1)


def hota(sightings: Sequence[Sighting], alphas: NDArray[np.float64] = ALPHAS) -> Hota:
    """Count over one sequence.

    Within a frame folds are matched so that pairs that overlap over the whole sequence come
    first; a pair is right at alpha where its IoU reaches alpha.
    """
    table = _Table.of(sightings)
    alike = _alignment(sightings, table)
    pairs = np.zeros((len(alphas), *table.shape))
    for each, rows, columns in zip(sightings, table.rows, table.columns, strict=True):
        i, j = linear_sum_assignment(-(alike[np.ix_(rows, columns)] * each.iou))
        is_right = each.iou[i, j] >= alphas[:, None] - 1e-9
        pairs[:, rows[i], columns[j]] += is_right
    right = pairs.sum((1, 2))
    either = table.of_truth[:, None] + table.of_track - pairs
    association = (pairs * pairs / np.maximum(either, 1)).sum((1, 2))
    return Hota(right, table.of_truth.sum() - right, table.of_track.sum() - right, association)


def _alignment(sightings: Sequence[Sighting], table: _Table) -> NDArray[np.float64]:
    """(truths, tracks): Jaccard index of the frames they share, each shared one by its overlap."""
    together = np.zeros(table.shape)
    for each, rows, columns in zip(sightings, table.rows, table.columns, strict=True):
        either = each.iou.sum(1, keepdims=True) + each.iou.sum(0) - each.iou
        together[np.ix_(rows, columns)] += each.iou / np.maximum(either, 1e-12)
    either = table.of_truth[:, None] + table.of_track - together
    return np.asarray(together / np.maximum(either, 1e-12))


@dataclass(frozen=True, slots=True)
class _Table:
    """All identities of a sequence as rows (true folds) and columns (tracks)."""

    rows: list[NDArray[np.intp]]
    columns: list[NDArray[np.intp]]
    of_truth: NDArray[np.int64]
    """Frames in which each true fold is in view."""
    of_track: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.of_truth), len(self.of_track)

    @classmethod
    def of(cls, sightings: Sequence[Sighting]) -> _Table:
        rows, of_truth = _positions([each.truths for each in sightings])
        columns, of_track = _positions([each.tracks for each in sightings])
        return cls(rows, columns, of_truth, of_track)


def _positions(
    numbers: list[NDArray[np.int64]],
) -> tuple[list[NDArray[np.intp]], NDArray[np.int64]]:
    """Where each number stands among all that occur, and how often each occurs."""
    known, counts = np.unique(np.concatenate(numbers), return_counts=True)
    return [np.searchsorted(known, each) for each in numbers], counts.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Scores:
    """All counts of one or more sequences."""

    clear: Clear
    identity: Identity
    hota: Hota

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            self.clear + other.clear, self.identity + other.identity, self.hota + other.hota
        )

    @classmethod
    def of(cls, sightings: Sequence[Sighting]) -> Scores:
        """Count over one sequence of at least one frame."""
        return cls(clear(sightings), identity(sightings), hota(sightings))

    @classmethod
    def sum(cls, scores: Sequence[Scores]) -> Scores:
        """Over sequences."""
        return reduce(cls.__add__, scores)
