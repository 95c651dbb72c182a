"""Agreement by hand: small label images, and one real colon."""

import numpy as np
import pytest

from train.simulate.agreement import (
    SHARES,
    Comparison,
    agreement,
    average_precision,
    compare_colon,
    match_instances,
)
from train.simulate.dataset import Flag, View


def labels(*boxes: tuple[int, int, int]) -> np.ndarray:
    """(20, 20) with (number, first row, last row) each over all columns."""
    image = np.zeros((20, 20), np.int64)
    for number, first, last in boxes:
        image[first:last] = number
    return image


def comparison(labelled: np.ndarray, truth: np.ndarray) -> Comparison:
    flags = np.where(labelled > 0, Flag.FOLD, 0).astype(np.uint8)
    empty = np.zeros((20, 20), np.float32)
    view = View(empty, np.zeros((20, 20, 3), np.float32), flags, labelled.astype(np.uint16))
    return Comparison(view, (truth,) * len(SHARES))


def test_the_same_labels_agree_whatever_their_numbers() -> None:
    both = comparison(labels((3, 0, 5), (9, 10, 15)), labels((1, 0, 5), (2, 10, 15)))
    found = agreement([both], 0)
    assert (found.median_iou, found.fold_recall, found.instance_ap50) == (1.0, 1.0, 1.0)


def test_overlap_and_recall_by_hand() -> None:
    # Rows 2-7 labelled, rows 0-5 true: 4 shared, 8 in either; the fold at 12-16 is missed.
    both = comparison(labels((1, 2, 8)), labels((1, 0, 6), (2, 12, 16)))
    found = agreement([both], 0)
    assert found.median_iou == pytest.approx(4 / 12)
    assert found.fold_recall == pytest.approx(1 / 2)


def test_one_label_over_two_folds_is_right_once_at_most() -> None:
    matches, count = match_instances(labels((1, 0, 10)), labels((1, 0, 6), (2, 6, 10)))
    assert (matches, count) == ([(200.0, True)], 2)


def test_pieces_too_small_to_count_are_ignored_on_both_sides() -> None:
    matches, count = match_instances(labels((1, 0, 3)), labels((1, 0, 2)))
    assert (matches, count) == ([], 0)


def test_average_precision_by_hand() -> None:
    # Right, wrong, right of three: precision 1 up to recall 1/3, then 2/3 up to 2/3.
    scored = [(30.0, True), (20.0, False), (10.0, True)]
    assert average_precision(scored, 3) == pytest.approx(1 / 3 + (1 / 3) * (2 / 3))


def test_labels_of_a_grown_colon_find_its_folds() -> None:
    found = agreement(compare_colon(seed=3, frames=3), SHARES.index(0.4))
    assert found.median_iou > 0.6
    assert found.fold_recall > 0.9
