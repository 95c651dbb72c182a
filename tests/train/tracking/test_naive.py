"""The tracker to beat does what it should."""

import numpy as np

from engine.types import FoldInstance, Frame
from train.tracking.naive import NaiveTracker


def bar(y: float) -> FoldInstance:
    corners = np.array([(20, y), (140, y), (140, y + 14), (20, y + 14)], np.float32)
    return FoldInstance(1, 0, corners, 120 * 14, 0.9)


def numbers(places: list[tuple[float, ...]]) -> list[list[int]]:
    tracker = NaiveTracker()
    image = np.zeros((160, 160, 3), np.uint8)
    return [
        [
            fold.track
            for fold in tracker.update(Frame(i, i * 0.02, 0.0, image), tuple(bar(y) for y in each))
        ]
        for i, each in enumerate(places)
    ]


def test_a_fold_that_overlaps_its_past_keeps_its_number() -> None:
    assert numbers([(20, 80), (83, 22), (25, 86)]) == [[1, 2], [2, 1], [1, 2]]


def test_a_fold_that_jumps_gets_a_new_number() -> None:
    assert numbers([(20,), (60,)]) == [[1], [2]]


def test_a_fold_is_remembered_where_it_was_for_a_while() -> None:
    assert numbers([(20,), *[()] * 10, (20,)])[-1] == [1]
    assert numbers([(20,), *[()] * 25, (20,)])[-1] == [2]
