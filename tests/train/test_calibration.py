from __future__ import annotations

import numpy as np
import pytest

from train.calibration import (
    calibration_error,
    reliability,
    reliability_chart,
    reliability_curve,
)


def _row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_counts_of_four_pixels_by_hand() -> None:
    truth = np.array([[False, True, True, False]])
    valid = np.array([[True, True, True, False]])
    counts = reliability(_row(0.25, 0.75, 1.0, 0.5), truth, valid, bins=2)
    assert counts.tolist() == [[1.0, 0.25, 0.0], [2.0, 1.75, 2.0]]


def test_the_error_by_hand() -> None:
    # |0.25 - 0| of one pixel and |1.75 - 2| of two: (0.25 + 0.25) / 3.
    counts = np.array([[1.0, 0.25, 0.0], [2.0, 1.75, 2.0]])
    assert calibration_error(counts) == pytest.approx(1 / 6)


def test_who_says_one_quarter_and_is_right_once_in_four_has_no_error() -> None:
    truth = np.array([[True, False, False, False]])
    counts = reliability(_row(0.25, 0.25, 0.25, 0.25), truth, np.ones((1, 4), bool))
    assert calibration_error(counts) == 0.0


def test_without_pixels_there_is_no_error() -> None:
    assert np.isnan(calibration_error(np.zeros((3, 3))))


def test_many_tables_are_taken_at_once() -> None:
    counts = np.array([[[1.0, 0.25, 0.0], [2.0, 1.75, 2.0]], np.zeros((2, 3))])
    assert calibration_error(counts) == pytest.approx([1 / 6, np.nan], nan_ok=True)


def test_counts_add_up_over_frames() -> None:
    rng = np.random.default_rng(1)
    said, truth = rng.random((2, 8, 8), np.float32), rng.random((2, 8, 8)) > 0.5
    valid = np.ones((8, 8), bool)
    apart = sum(reliability(s, t, valid) for s, t in zip(said, truth, strict=True))
    together = reliability(said.reshape(16, 8), truth.reshape(16, 8), np.ones((16, 8), bool))
    assert apart == pytest.approx(together)


def test_empty_bins_are_not_on_the_curve() -> None:
    counts = np.array([[4.0, 1.0, 2.0], [0.0, 0.0, 0.0], [2.0, 2.0, 1.0]])
    said, share = reliability_curve(counts)
    assert (said.tolist(), share.tolist()) == ([0.25, 1.0], [0.5, 0.5])


def test_a_chart_shows_every_network() -> None:
    counts = np.array([[4.0, 1.0, 2.0], [2.0, 2.0, 1.0]])
    one, two = reliability_chart({"a": counts}), reliability_chart({"a": counts, "b": counts})
    assert one.shape == two.shape and (one != two).any()
