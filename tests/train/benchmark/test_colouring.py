"""Which fold takes which colour."""

import numpy as np

from tests.train.benchmark.scored import shown
from train.benchmark.colouring import colour_of, coloured, comparison, matches, sheet


def bars(*limits: tuple[int, int]) -> np.ndarray:
    """Folds 1, 2, ... of columns of a picture of 4 by 20."""
    labels = np.zeros((4, 20), np.int32)
    for label, (left, right) in enumerate(limits, start=1):
        labels[:, left:right] = label
    return labels


def test_a_fold_takes_the_true_one_that_it_overlaps_most() -> None:
    assert matches(bars((0, 8), (10, 18)), bars((11, 18), (0, 7))) == {1: 2, 2: 1}


def test_a_fold_that_overlaps_too_little_has_none() -> None:
    # 2 of 10 columns in common.
    assert matches(bars((0, 6)), bars((4, 10))) == {}


def test_a_true_fold_is_taken_once_by_the_better_one() -> None:
    assert matches(bars((0, 4), (4, 10)), bars((0, 10))) == {2: 1}


def test_what_has_no_true_fold_is_white() -> None:
    image = np.zeros((4, 20, 3), np.uint8)
    picture = coloured(image, bars((0, 4), (6, 9)), {2: 3})
    assert picture[0, 0].tolist() == [255, 255, 255]
    assert tuple(picture[0, 7].tolist()) == colour_of(3)
    assert not picture[0, 15].any()


def test_twenty_folds_have_colours_that_can_be_told_apart_and_from_white() -> None:
    colours = np.array([colour_of(number) for number in range(1, 21)] + [(255, 255, 255)], float)
    apart = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    assert apart[~np.eye(len(colours), dtype=bool)].min() > 20


def test_a_comparison_has_a_column_for_picture_truth_and_each_row() -> None:
    picture = comparison({"one": [shown(), shown()], "two": [shown(), shown()]})
    assert picture.shape == (22 + 2 * 192, 4 * 192, 3)
    # Truth and what was found are the same fold, so the same colour.
    middle = 22 + 96
    assert picture[middle, 192 + 96].tolist() == picture[middle, 2 * 192 + 96].tolist()


def test_a_sheet_shows_truth_beside_what_was_found() -> None:
    assert sheet([shown()] * 3).shape == (2 * 192, 4 * 192, 3)
