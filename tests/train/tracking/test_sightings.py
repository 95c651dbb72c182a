"""Label images compared, by hand."""

import numpy as np
import pytest

from engine.types import FoldInstance
from train.tracking.sightings import Sighting, paint_tracks


def labels(text: str) -> np.ndarray:
    return np.array([[int(letter) for letter in row] for row in text.split()], np.int32)


def test_overlap_of_two_label_images_by_hand() -> None:
    sighting = Sighting.of(labels("110220"), labels("511550"), smallest=1)
    # Columns are tracks 1 and 5. 1 and 1 share 1 of 3, 1 and 5 share 1 of 4, 2 and 5 2 of 3.
    assert sighting.truths.tolist() == [1, 2]
    assert sighting.tracks.tolist() == [1, 5]
    assert sighting.iou == pytest.approx(np.array([[1 / 3, 1 / 4], [0, 2 / 3]]))


def test_a_track_on_a_fold_too_small_to_count_is_neither_right_nor_wrong() -> None:
    sighting = Sighting.of(labels("1110220"), labels("0000770"), smallest=3)
    assert sighting.truths.tolist() == [1]
    assert sighting.tracks.tolist() == []
    assert sighting.iou.shape == (1, 0)


def test_an_empty_frame_is_a_sighting_of_nothing() -> None:
    sighting = Sighting.of(labels("000"), labels("000"), smallest=1)
    assert sighting.iou.shape == (0, 0)


def test_tracks_are_painted_with_their_holes_and_smaller_ones_on_top() -> None:
    def square(low: int, high: int) -> np.ndarray:
        return np.array([(low, low), (high, low), (high, high), (low, high)], np.float32)

    def grown() -> np.ndarray:
        return np.array([(-0.4, -0.4), (0.4, -0.4), (0.4, 0.4), (-0.4, 0.4)], np.float32)

    ring = FoldInstance(1, 4, square(0, 8) + grown(), 81, 0.9, (square(3, 5) + grown(),))
    inside = FoldInstance(2, 6, square(4, 4) + grown(), 1, 0.9)
    painted = paint_tracks((inside, ring), (9, 9))
    assert painted[4].tolist() == [4, 4, 4, 0, 6, 0, 4, 4, 4]
    assert painted[0].tolist() == [4] * 9


def test_a_fold_that_reaches_out_of_the_picture_is_cut() -> None:
    corners = np.array([(-9, -9), (1.4, -9), (1.4, 1.4), (-9, 1.4)], np.float32)
    painted = paint_tracks((FoldInstance(1, 3, corners, 100, 0.9),), (4, 4))
    assert painted.tolist() == [[3, 3, 0, 0], [3, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_every_part_of_a_fold_is_painted() -> None:
    def square(low: float, high: float) -> np.ndarray:
        return np.array([(low, 0), (high, 0), (high, 3), (low, 3)], np.float32)

    fold = FoldInstance(1, 5, square(-0.4, 1.4), 8, 0.9, parts=(square(4.6, 6.4),))
    assert paint_tracks((fold,), (3, 8))[1].tolist() == [5, 5, 0, 0, 0, 5, 5, 0]
