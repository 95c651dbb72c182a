"""Figures of a few pictures, by hand."""

import numpy as np
import pytest

from tests.train.benchmark.scored import frame, run
from train.benchmark.figures import FIGURES, measured
from train.benchmark.scores import Scores
from train.calibration import BINS
from train.instance_metrics import Compared

IOU, DICE, BOUNDARY, PQ, STEADY, ECE, CALLED = range(len(FIGURES))


def value(scores: list[Scores], at: int) -> float:
    return measured(scores, None).figures[at].value


def test_iou_and_dice_are_means_over_pictures_that_show_a_fold() -> None:
    # IoU 0.5 and 0.25, Dice 2/3 and 0.4; the third shows none, whatever was called there.
    scores = run(frame(0, (2, 1, 1)), frame(1, (1, 1, 2)), frame(1, (0, 5, 0)))
    assert value([scores], IOU) == pytest.approx(0.375)
    assert value([scores], DICE) == pytest.approx((4 / 6 + 2 / 5) / 2)
    assert measured([scores], None).deviation == pytest.approx(0.125)


def test_seeds_are_averaged_and_told() -> None:
    good, bad = run(frame(0, (3, 0, 1))), run(frame(0, (1, 1, 2)), threshold=0.7)
    found = measured([good, bad], None)
    assert found.figures[IOU].value == pytest.approx(0.5)
    assert found.seeds == pytest.approx((0.75, 0.25))
    assert found.thresholds == (0.5, 0.7)


def test_intervals_redraw_whole_sequences() -> None:
    # Two pictures that always come together: all draws lie at 0.5, 0.25 or between.
    scores = run(*[frame(0, (2, 1, 1))] * 2, *[frame(1, (1, 1, 2))] * 2)
    found = measured([scores], None).figures[IOU]
    assert (found.low, found.high) == (0.25, 0.5)


def test_a_difference_is_taken_on_the_same_sequences() -> None:
    easy = run(frame(0, (8, 1, 1)), frame(1, (1, 1, 2)))
    better = run(frame(0, (9, 0, 1)), frame(1, (7, 6, 7)))
    found = measured([better], [easy])
    # 0.9 - 0.8 and 0.35 - 0.25.
    assert found.difference is not None
    assert found.difference.value == pytest.approx(0.1)
    assert (found.difference.low, found.difference.high) == pytest.approx((0.1, 0.1))
    # Two sequences, four exchanges of which two are as far from zero.
    assert found.p == pytest.approx(0.5)


def test_what_is_not_known_of_a_picture_does_not_count() -> None:
    scores = run(frame(0, (1, 0, 0), boundary_f=0.6), frame(0, (1, 0, 0)))
    assert value([scores], BOUNDARY) == pytest.approx(0.6)
    assert np.isnan(value([scores], STEADY))
    assert np.isnan(value([scores], CALLED))


def test_single_folds_are_scored_where_they_are_known() -> None:
    # Two true folds, two found ones: one pair of IoU 0.8.
    compared = Compared(np.array([[0.8, 0.0], [0.0, 0.3]]), np.array([0.9, 0.6]))
    scores = run(frame(0, (1, 0, 0), compared=compared), frame(0, (1, 0, 0)))
    found = measured([scores], None)
    assert found.figures[PQ].value == pytest.approx(0.8 / 2)
    assert found.ap50 == pytest.approx(0.5)
    # Right at 0.5, 0.55, ..., 0.8: seven of ten levels.
    assert found.ap == pytest.approx(0.35)


def test_calibration_is_pooled_over_all_pictures() -> None:
    scores = run(frame(0, (1, 0, 0)), frame(1, (1, 0, 0)))
    scores.reliability[0, 3] = (10, 3.0, 3)
    scores.reliability[1, BINS - 1] = (10, 10.0, 6)
    assert value([scores], ECE) == pytest.approx(4 / 20)


def test_edges_are_pooled_over_pictures_and_thresholds() -> None:
    scores = run(frame(0, (1, 0, 0)), frame(0, (1, 0, 0)))
    assert np.isnan(measured([scores], None).edges).all()
    # One threshold finds 3 of 4 true pixels with 4; all others find nothing.
    scores.edges[:, :, 3] = 4
    scores.edges[:, 5] = (3, 4, 3, 4)
    scores.edge_dice[:] = [0.75, np.nan]
    dice, best, each, _ = measured([scores], None).edges
    assert (dice, best, each) == pytest.approx((0.75, 0.75, 0.75))


def test_area_called_is_pooled_over_all_pictures() -> None:
    scores = run(frame(0, (0, 0, 0)), frame(0, (0, 0, 0)))
    scores.called[:] = [[5, 100], [0, 300]]
    assert value([scores], CALLED) == pytest.approx(5 / 400)
    assert np.isnan(value([scores], IOU))
