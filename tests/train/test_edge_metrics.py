from __future__ import annotations

import numpy as np
import pytest

from engine.types import Mask
from train.edge_metrics import (
    berkeley_tolerance_px,
    edge_average_precision,
    edge_counts,
    edge_dice,
    edge_f,
    matched_pixels,
    ods,
    ois,
    thinned,
)


def _rows(*rows: int, columns: slice = slice(2, 18)) -> Mask:
    """20 × 20 with lines of 16 pixels in these rows."""
    mask = np.zeros((20, 20), bool)
    for row in rows:
        mask[row, columns] = True
    return mask


def test_a_band_is_thinned_to_a_line() -> None:
    assert thinned(_rows(5, 6, 7)).sum() <= 16
    assert thinned(_rows(5)).sum() == 16


def test_a_line_three_pixels_away_is_right_and_one_four_pixels_away_is_wrong() -> None:
    assert edge_dice(_rows(5), _rows(8)) == 1.0
    assert edge_dice(_rows(5), _rows(9)) == 0.0


def test_edge_dice_by_hand() -> None:
    # Found: 16 right, 16 wrong. True: 16, all found. (16 + 16) / (32 + 16).
    assert edge_dice(_rows(5, 15), _rows(5)) == pytest.approx(2 / 3)


def test_edge_dice_of_nothing_is_not_a_number_and_of_one_nothing_is_zero() -> None:
    assert np.isnan(edge_dice(_rows(), _rows()))
    assert edge_dice(_rows(5), _rows()) == edge_dice(_rows(), _rows(5)) == 0.0


def test_the_berkeley_tolerance_follows_the_diagonal() -> None:
    assert berkeley_tolerance_px((300, 400)) == pytest.approx(3.75)


def test_a_pixel_is_matched_only_once() -> None:
    assert matched_pixels(_rows(4, 6), _rows(5), 1.5) == 16


def test_as_many_pairs_as_possible_are_made() -> None:
    # Greedily the middle one takes the middle one and both ends go without.
    found, truth = np.zeros((1, 5), bool), np.zeros((1, 5), bool)
    found[0, [1, 2]], truth[0, [2, 3]] = True, True
    assert matched_pixels(found, truth, 1.0) == 2


def test_counts_of_two_thresholds_by_hand() -> None:
    probability = _rows(5) * np.float32(0.9) + _rows(15) * np.float32(0.4)
    counts = edge_counts(probability, _rows(6), np.ones((20, 20), bool), 1.0, np.array([0.3, 0.5]))
    assert counts.tolist() == [[16, 32, 16, 16], [16, 16, 16, 16]]


def test_lines_outside_the_view_do_not_count() -> None:
    valid = np.ones((20, 20), bool)
    valid[10:] = False
    probability = _rows(5, 15).astype(np.float32)
    counts = edge_counts(probability, _rows(5, 16), valid, 1.0, np.array([0.5]))
    assert counts.tolist() == [[16, 16, 16, 16]]


COUNTS = np.array([
    # Two thresholds each; the first frame is best at the first, the second at the second.
    [[8, 10, 8, 10], [4, 4, 4, 10]],
    [[5, 20, 5, 10], [9, 10, 9, 10]],
])  # fmt: skip


def test_f_of_precision_and_recall_by_hand() -> None:
    assert edge_f(np.array([6, 8, 6, 12])) == pytest.approx(0.6)


def test_one_threshold_for_all_frames() -> None:
    # At the second: 13 of 14 found, 13 of 20 true. F = 26 / 34.
    assert ods(COUNTS) == pytest.approx(26 / 34)


def test_a_threshold_for_each_frame() -> None:
    # 8 + 9 of 10 + 10 found and of 10 + 10 true.
    assert ois(COUNTS) == pytest.approx(0.85)


def test_a_frame_without_edges_is_taken_where_least_is_found() -> None:
    empty = np.array([[[0, 50, 0, 0], [0, 2, 0, 0]]])
    # 17 of 22 found, 17 of 20 true.
    assert ois(np.concatenate([COUNTS, empty])) == pytest.approx(34 / 42)


def test_average_precision_by_hand() -> None:
    # Recall 0.25 at precision 1, recall 0.75 at precision 0.5, a straight line between:
    # 51 of 101 readings with a mean of 0.75.
    counts = np.array([[[3, 6, 3, 4], [1, 1, 1, 4]]])
    assert edge_average_precision(counts) == pytest.approx(51 * 0.75 / 101)


def test_one_point_is_no_curve() -> None:
    assert edge_average_precision(np.array([[[0, 4, 0, 4], [0, 2, 0, 4]]])) == 0.0


def test_a_perfect_map_has_full_marks() -> None:
    probability = _rows(5, 12).astype(np.float32)
    counts = edge_counts(probability, _rows(5, 12), np.ones((20, 20), bool), 1.0)[None]
    assert (ods(counts), ois(counts)) == (1.0, 1.0)
