"""Neighbours along edges, by hand."""

import numpy as np
import pytest

from train.simulate.neighbours import Neighbours, components

SQUARE = np.array([[0, 1, 2], [0, 2, 3]])
"""Two triangles on the diagonal 0-2; vertex 4 belongs to no face."""


def around(neighbours: Neighbours, vertex: int) -> list[int]:
    first, last = neighbours.starts[vertex : vertex + 2]
    return neighbours.others[first:last].tolist()


def test_an_edge_of_two_faces_counts_once() -> None:
    neighbours = Neighbours.of(SQUARE, 5)
    assert [around(neighbours, v) for v in range(5)] == [[1, 2, 3], [0, 2], [0, 1, 3], [0, 2], []]


def test_the_order_of_faces_and_corners_does_not_matter() -> None:
    one, other = Neighbours.of(SQUARE, 5), Neighbours.of(SQUARE[::-1, [2, 0, 1]], 5)
    assert np.array_equal(one.others, other.others)


def test_a_value_is_averaged_with_those_of_its_neighbours() -> None:
    means = Neighbours.of(SQUARE, 5).averaged(np.array([4.0, 0, 2, 6, 9]))
    assert means == pytest.approx([3, 2, 3, 4, 9])


def test_components_count_what_hangs_together() -> None:
    faces = np.array([[0, 1, 2], [3, 4, 5]])
    count, labels = components(np.array([1, 1, 0, 1, 1, 1], dtype=bool), faces)
    assert count == 2
    assert labels.tolist() == [1, 1, 0, 2, 2, 2]


def test_two_parts_that_meet_late_are_one_component() -> None:
    faces = np.array([[0, 1, 2], [3, 4, 5], [2, 5, 6]])
    assert components(np.ones(7, bool), faces)[1].tolist() == [1] * 7
