from __future__ import annotations

import numpy as np
import pytest

from train.metrics import (
    THRESHOLDS,
    Interval,
    best_threshold,
    bootstrap,
    bootstrap_items,
    iou,
    mean_iou,
    overlap_counts,
    pooled_iou,
)

HALF = np.array([0.5])


def test_counts_of_four_pixels_by_hand() -> None:
    probability = np.array([[0.9, 0.8], [0.2, 0.1]], np.float32)
    truth = np.array([[True, False], [True, False]])
    counts = overlap_counts(probability, truth, np.ones((2, 2), bool), HALF)
    assert counts.tolist() == [[1, 1, 1]]


def test_pixels_outside_the_field_of_view_do_not_count() -> None:
    probability = np.ones((2, 2), np.float32)
    counts = overlap_counts(probability, np.eye(2, dtype=bool), np.eye(2, dtype=bool), HALF)
    assert counts.tolist() == [[2, 0, 0]]


def test_iou_is_hits_over_union() -> None:
    assert iou(np.array([3, 1, 2])) == 0.5


def test_iou_of_nothing_is_not_a_number() -> None:
    assert np.isnan(iou(np.array([0, 0, 0])))


def test_mean_and_pooled_iou_differ_where_frames_differ_in_size() -> None:
    counts = np.array([[[1, 0, 0]], [[0, 0, 9]]])
    assert (mean_iou(counts)[0], pooled_iou(counts)[0]) == (0.5, 0.1)


def test_frames_without_folds_do_not_enter_the_mean() -> None:
    counts = np.array([[[1, 0, 0]], [[0, 7, 0]]])
    assert mean_iou(counts)[0] == 1.0


def test_of_equally_good_thresholds_the_highest_is_chosen() -> None:
    counts = np.tile(np.array([8, 1, 1]), (2, len(THRESHOLDS), 1))
    counts[:, 10:] = [1, 0, 8]
    assert best_threshold(counts, THRESHOLDS) == THRESHOLDS[9]


def test_the_interval_of_identical_sequences_has_no_width() -> None:
    groups = [np.array([[1, 2]])] * 4
    found = bootstrap(groups, lambda rows: float(rows[:, 0].sum() / rows[:, 1].sum()))
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_the_interval_redraws_sequences_not_frames() -> None:
    groups = [np.zeros((100, 1), np.int64), np.ones((100, 1), np.int64)]
    found = bootstrap(groups, lambda rows: float(rows.mean()))
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_figure_prints_with_its_interval() -> None:
    groups = [np.array([[1, 2]])] * 2
    assert str(bootstrap(groups, lambda rows: 0.25)) == "0.250 [0.250, 0.250]"
    assert pytest.approx(0.25) == bootstrap(groups, lambda rows: 0.25).value


def test_what_is_not_known_is_said_and_fits_into_json() -> None:
    alone, nothing = Interval(0.5, np.nan, np.nan), Interval(np.nan, np.nan, np.nan)
    assert (str(alone), str(nothing)) == ("0.500 [unknown]", "unknown")
    assert alone.as_dict() == {"value": 0.5, "low": None, "high": None}


def test_several_statistics_are_redrawn_together_and_unknown_draws_do_not_count() -> None:
    mean, unknown = bootstrap_items([1.0, 3.0], lambda drawn: [np.mean(drawn), np.nan])
    assert (mean.value, mean.low, mean.high) == (2.0, 1.0, 3.0)
    assert np.isnan([unknown.value, unknown.low, unknown.high]).all()


def test_one_sequence_alone_has_no_interval() -> None:
    found = bootstrap([np.array([[1, 2]])], lambda rows: 0.5)
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()
