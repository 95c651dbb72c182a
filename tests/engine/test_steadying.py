"""Masks averaged over time, by hand and on a texture that moves as told."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.preprocess import Placement
from engine.steadying import Steadier, SteadyOptions
from engine.types import FoldMask, Frame

SIZE = 64
TEXTURE = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (400, 600, 3)).astype(np.uint8), (0, 0), 3
)
TEXTURE = cv2.normalize(TEXTURE, None, 0, 255, cv2.NORM_MINMAX)


def mask(index: int, probability: np.ndarray, shift: int = 0, interval_s: float = 0.02) -> FoldMask:
    """A 256 x 128 picture on a grid of 64 cells, four pixels a cell, 16 empty rows above."""
    image = np.ascontiguousarray(TEXTURE[100:228, 100 + shift : 356 + shift])
    frame = Frame(index, index * interval_s, 0.0, image)
    placement = Placement.fit((0, 0, 256, 128), SIZE)
    return FoldMask(frame, probability, 1 - probability, placement)


def flat(value: float) -> np.ndarray:
    return np.full((SIZE, SIZE), value, np.float32)


def bar(x: int) -> np.ndarray:
    probability = flat(0)
    probability[24:40, x : x + 8] = 1
    return probability


def test_a_mask_is_averaged_with_the_one_before() -> None:
    steadier = Steadier(SteadyOptions(weight=0.75))
    steadier(mask(0, flat(0.2)))
    second = steadier(mask(1, flat(1.0)))
    # 0.75 * 1 + 0.25 * 0.2, and the same of the edge, which is one less the fold here.
    assert second.probability == pytest.approx(flat(0.8))
    assert second.edge == pytest.approx(flat(0.2))
    third = steadier(mask(2, flat(1.0)))
    assert third.probability == pytest.approx(flat(0.95))


def test_the_past_moves_along_with_the_picture() -> None:
    steadier = Steadier()
    steadier(mask(0, bar(30)))
    # The picture goes 8 pixels = 2 cells to the left, and nothing is found in it.
    found = steadier(mask(1, flat(0), shift=8)).probability
    assert found[24:40, 29:35] == pytest.approx(0.5, abs=0.1)
    assert found[24:40, 36:].max() < 0.5
    assert found[24:40, 37:].max() < 0.1


@pytest.mark.parametrize("interval_s", [0.2, -0.02, 0.0])
def test_nothing_is_kept_over_a_gap_or_a_step_back(interval_s: float) -> None:
    steadier = Steadier()
    steadier(mask(0, flat(0)))
    assert np.array_equal(steadier(mask(1, flat(1), interval_s=interval_s)).probability, flat(1))


def test_nothing_is_kept_when_the_field_of_view_changes_or_after_a_reset() -> None:
    steadier = Steadier()
    steadier(mask(0, flat(0)))
    other = replace(mask(1, flat(1)), placement=Placement.fit((0, 0, 200, 128), SIZE))
    assert np.array_equal(steadier(other).probability, flat(1))
    steadier.reset()
    assert np.array_equal(steadier(replace(other, probability=flat(0))).probability, flat(0))


def test_the_mask_that_came_in_stays_as_it_was_and_the_new_one_is_protected() -> None:
    steadier = Steadier()
    first = mask(0, flat(0))
    steadier(first)
    second = steadier(mask(1, flat(1)))
    assert not first.probability.any()
    assert not second.probability.flags.writeable
