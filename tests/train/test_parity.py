"""How far one answer strays from another, by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.types import Image, Probability
from train.parity import Parity, Reference, Truth, compare, real_pictures
from train.real import Half


class Says:
    """A back end that says what it is told to, one answer a picture."""

    name = description = "told"
    note = None

    def __init__(self, *answers: Probability) -> None:
        self._answers = list(answers)

    def infer(self, image: Image) -> Probability:
        return self._answers.pop(0)

    def depth(self) -> None:
        return None

    def close(self) -> None: ...


def plane(*values: float) -> Probability:
    """(2, 1, 4): these as fold, no edge."""
    return np.array([[values], [[0.0] * 4]], np.float32)


BLACK = np.zeros((1, 4, 3), np.uint8)
TRUTH = Truth(np.array([[True, True, False, False]]), np.ones((1, 4), bool))


def test_one_pixel_of_four_changes_sides() -> None:
    torch = plane(0.9, 0.8, 0.2, 0.1)
    found = compare(
        Reference("simulated", [BLACK], [torch], [TRUTH]), Says(plane(0.9, 0.4, 0.2, 0.1)), 0.5
    )
    assert found.largest_difference == pytest.approx(0.4)
    assert found.flipped_share == 0.25
    assert found.overlap == 0.5
    # Torch finds both pixels, the back end one of two.
    assert found.lost_points == pytest.approx(50.0)


def test_real_pictures_have_no_truth_to_lose() -> None:
    same = plane(0.9, 0.8, 0.2, 0.1)
    found = compare(Reference("real", [BLACK, BLACK], [same, same]), Says(same, same), 0.5)
    assert (found.frames, found.overlap, found.lost_points) == (2, 1.0, None)


def test_where_neither_finds_a_fold_they_agree() -> None:
    none = plane(0.0, 0.0, 0.0, 0.0)
    assert compare(Reference("real", [BLACK], [none]), Says(none), 0.5).overlap == 1.0


@pytest.mark.parametrize(
    ("difference", "flipped", "overlap", "is_other"),
    [
        (0.3, 0.001, 0.5, False),
        (0.009, 0.03, 0.5, False),
        (0.3, 0.03, 0.9, False),
        (0.3, 0.03, 0.5, True),
    ],
)
def test_rounding_is_told_from_another_network(
    difference: float, flipped: float, overlap: float, is_other: bool
) -> None:
    assert Parity("any", "real", 1, difference, flipped, overlap, None).is_other == is_other


def test_without_real_frames_there_are_no_real_pictures(tmp_path: Path) -> None:
    assert real_pictures(None, Half.TEST, 64, 5) == []
    assert real_pictures(tmp_path, Half.TEST, 64, 5) == []
