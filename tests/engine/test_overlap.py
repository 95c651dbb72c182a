"""Shared areas, by hand."""

import numpy as np
import pytest

from engine.overlap import SharedAreas


def test_overlap_by_hand() -> None:
    before = np.array([[[1, 1, 0, 0]], [[0, 0, 1, 1]]])
    after = np.array([[[1, 1, 1, 0]]])
    # First: shared 2, union 3, smaller 2. Second: shared 1, union 4, smaller 2.
    expected = [[0.5 * 2 / 3 + 0.5], [0.5 / 4 + 0.5 / 2]]
    assert SharedAreas.of(before, after).overlap() == pytest.approx(np.array(expected))


def test_share_inside_by_hand() -> None:
    before = np.array([[[1, 1, 1, 0]], [[0, 0, 0, 1]]])
    after = np.array([[[0, 1, 1, 1]]])
    assert SharedAreas.of(before, after).share_inside() == pytest.approx(np.array([[2 / 3], [1.0]]))
