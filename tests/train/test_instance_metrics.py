"""Instance figures by hand."""

import numpy as np
import pytest

from engine.types import FoldInstance
from train.instance_metrics import (
    LEVELS,
    Compared,
    average_precision_at,
    compare_folds,
    count_fragmented,
    match_at,
    mean_average_precision,
    panoptic_quality,
)


def compared(iou: list[list[float]], scores: list[float]) -> Compared:
    return Compared(np.array(iou, float).reshape(-1, len(scores)), np.array(scores))


def square(label: int, corner: int, score: float) -> FoldInstance:
    """Ten by ten pixels with the corner at (corner, corner)."""
    low, high = corner - 0.4, corner + 9.4
    outline = np.array([(low, low), (high, low), (high, high), (low, high)], np.float32)
    return FoldInstance(label, 0, outline, 100.0, score)


def test_the_more_certain_of_two_halves_takes_the_fold() -> None:
    both = compared([[0.6, 0.55]], [0.7, 0.9])
    assert match_at(both, 0.5) == [(0.9, True), (0.7, False)]


def test_one_found_fold_over_two_true_ones_is_right_for_one() -> None:
    assert match_at(compared([[0.55], [0.4]], [0.8]), 0.5) == [(0.8, True)]


def test_average_precision_by_hand() -> None:
    # By certainty: right, wrong, right, of three true folds: 1/3 · 1 + 1/3 · 2/3.
    frames = [compared([[0.8, 0.0], [0.0, 0.1]], [0.9, 0.8]), compared([[0.7]], [0.6])]
    assert average_precision_at(frames, 0.5) == pytest.approx(1 / 3 + 2 / 9)


def test_the_mean_goes_over_ten_levels() -> None:
    # An IoU of .72 is right at .50, .55, .60, .65 and .70.
    assert len(LEVELS) == 10
    assert mean_average_precision([compared([[0.72]], [0.9])]) == pytest.approx(0.5)


def test_panoptic_quality_by_hand() -> None:
    # Two pairs of IoU .8 and .6, one fold missed, two found where none is.
    frames = [
        compared([[0.8, 0.0, 0.0], [0.0, 0.6, 0.0]], [0.9, 0.8, 0.7]),
        compared([[0.4]], [0.9]),
    ]
    quality = panoptic_quality(frames)
    assert quality.segmentation == pytest.approx(0.7)
    assert quality.recognition == pytest.approx(2 / (2 + 0.5 * 1 + 0.5 * 2))
    assert quality.value == pytest.approx(1.4 / 3.5)


def test_nothing_found_is_worth_nothing_and_nothing_at_all_has_no_figure() -> None:
    missed = Compared(np.zeros((2, 0)), np.zeros(0))
    assert panoptic_quality([missed]).value == 0.0
    assert average_precision_at([missed], 0.5) == 0.0
    nothing = Compared(np.zeros((0, 0)), np.zeros(0))
    assert np.isnan(panoptic_quality([nothing]).value)
    assert np.isnan(mean_average_precision([nothing]))


def test_folds_are_held_against_labels() -> None:
    truth = np.zeros((40, 40), np.int32)
    truth[0:10, 0:5], truth[20:30, 20:30] = 3, 8
    both = compare_folds((square(1, 0, 0.9), square(2, 20, 0.8)), truth)
    assert both.iou == pytest.approx(np.array([[0.5, 0.0], [0.0, 1.0]]))
    assert both.scores.tolist() == [0.9, 0.8]


def test_what_is_ignored_counts_for_nobody() -> None:
    truth = np.zeros((40, 40), np.int32)
    truth[0:10, 0:5] = 3
    is_ignored = np.zeros((40, 40), np.bool_)
    is_ignored[0:10, 5:10] = is_ignored[20:30, 20:30] = True
    both = compare_folds((square(1, 0, 0.9), square(2, 20, 0.8)), truth, is_ignored)
    assert both.iou == pytest.approx(np.array([[1.0]]))


def test_a_fold_is_in_pieces_if_two_found_ones_hold_more_than_a_fifth_of_it_each() -> None:
    truth = np.repeat([[1, 2, 3, 0]], 100, axis=0)
    found = np.zeros((100, 4), int)
    found[:40, 0], found[40:61, 0], found[61:, 0] = 5, 6, 0
    found[:80, 1], found[80:, 1] = 5, 6  # a fifth, not more
    found[:, 2], found[:, 3] = 7, 8
    assert count_fragmented(found, truth) == (1, 3)
    assert count_fragmented(found, truth, smallest=101) == (0, 0)
