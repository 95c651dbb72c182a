from __future__ import annotations

import numpy as np
import pytest

from train.charts import Axes, line_chart, marks_for, stacked

AXES = Axes("title", "x", (0.0, 10.0), (0.0, 1.0), marks_for(0, 10), marks_for(0, 1))


def test_the_lower_left_corner_is_where_both_axes_start() -> None:
    assert AXES.pixels(np.array([0.0]), np.array([0.0])) == pytest.approx(np.array([[70, 390]]))


def test_the_upper_right_corner_is_where_both_axes_end() -> None:
    assert AXES.pixels(np.array([10.0]), np.array([1.0])) == pytest.approx(np.array([[700, 40]]))


def test_a_curve_passes_through_its_points() -> None:
    line = np.array([0.0, 10.0]), np.array([0.25, 0.25])
    chart = line_chart(AXES, {"quarter": line})
    column, row = AXES.pixels(np.array([1.0]), np.array([0.25]))[0].round().astype(int)
    assert chart[row, column].tolist() == [0, 114, 178]


def test_a_curve_stays_within_the_chart() -> None:
    line = np.array([0.0, 10.0]), np.array([0.5, 99.0])
    inside = line_chart(AXES, {"": line})
    assert (inside[:30] == line_chart(AXES, {})[:30]).all()


def test_marks_start_and_end_with_the_range() -> None:
    assert marks_for(0, 1, 3) == [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]


def test_charts_are_stacked_from_top_to_bottom() -> None:
    dark, light = np.zeros((2, 3, 3), np.uint8), np.ones((2, 3, 3), np.uint8)
    assert stacked([dark, light])[:, 0, 0].tolist() == [0, 0, 1, 1]
