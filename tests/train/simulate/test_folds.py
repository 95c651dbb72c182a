"""Crests divided into folds, on strips of vertices whose heights are written down."""

import numpy as np
import pytest

from tests.train.simulate.test_curvature import ring, tube_with
from train.simulate.folds import DivideOptions, divide_crests, fold_height, tube_place


def strip(count: int) -> np.ndarray:
    """Faces of a ribbon of triangles: vertex i touches i - 2 … i + 2."""
    return np.array([[i, i + 1, i + 2] for i in range(count - 2)])


def divide(height: list[float], crest: list[bool] | None = None) -> list[int]:
    chosen = np.ones(len(height), bool) if crest is None else np.array(crest)
    return divide_crests(chosen, np.array(height, float), strip(len(height))).tolist()


def test_one_top_is_one_fold() -> None:
    assert divide([1, 2, 3, 4, 3, 2, 1]) == [1] * 7


def test_a_deep_pass_divides() -> None:
    numbers = divide([4, 6, 6, 2, 1, 1, 2, 5, 5, 4])
    assert numbers[:3] == [1, 1, 1]
    assert numbers[-3:] == [2, 2, 2]


def test_a_high_pass_divides_nothing() -> None:
    assert set(divide([4, 6, 6, 4, 4, 4, 5, 5, 4])) == {1}


def test_a_dent_of_less_than_the_smallest_drop_divides_nothing() -> None:
    assert set(divide([1.0, 1.2, 0.7, 0.7, 1.1, 1.0])) == {1}


def test_crests_apart_are_folds_apart() -> None:
    crest = [True, True, True, False, False, True, True]
    numbers = divide([3, 3, 3, 9, 9, 2, 2], crest)
    assert numbers == [1, 1, 1, 0, 0, 2, 2]


def test_the_pass_can_be_told() -> None:
    height = np.array([4, 6, 6, 4, 4, 4, 5, 5, 4], float)
    strict = DivideOptions(pass_share=0.9, smallest_drop_mm=0.1)
    assert divide_crests(np.ones(9, bool), height, strip(9), strict).max() == 2


def test_places_on_a_straight_tube() -> None:
    tube = tube_with(lambda z, theta: 20.0)
    place = tube_place(tube)
    assert place.distance_mm == pytest.approx(20.0)
    assert place.along_mm == pytest.approx(tube.vertices[:, 2], abs=1e-6)
    assert np.ptp(place.angle) > 6.2


def test_a_ring_stands_out_by_its_height() -> None:
    tube = tube_with(ring)
    height = fold_height(tube)
    on_crest = np.abs(tube.vertices[:, 2] - 45) < 0.4
    far = np.abs(tube.vertices[:, 2] - 45) > 15
    assert height[on_crest] == pytest.approx(7.0, abs=0.6)
    assert height[far].max() < 1.5
