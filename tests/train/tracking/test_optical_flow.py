from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.types import Image
from train.tracking.consistency import consistency
from train.tracking.optical_flow import flow_from_pictures

SHIFT = 5


@pytest.fixture(scope="module")
def texture() -> Image:
    noise = np.random.default_rng(3).uniform(0, 255, (96, 120, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(
        np.uint8
    )


@pytest.fixture(scope="module")
def pair(texture: Image) -> tuple[Image, Image]:
    """The later picture shows everything five pixels further right."""
    return texture[:, SHIFT:100], texture[:, : 100 - SHIFT]


def test_a_shift_is_found_but_for_what_came_into_view(pair: tuple[Image, Image]) -> None:
    flow = flow_from_pictures(*pair)
    rows, columns = np.nonzero(flow.known)
    came_from = flow.source[rows, columns]
    assert flow.known[:, SHIFT + 4 :].mean() > 0.97
    assert np.median(columns - came_from % pair[0].shape[1]) == SHIFT
    assert np.median(rows - came_from // pair[0].shape[1]) == 0


def test_a_mask_that_moves_along_is_consistent_and_one_that_stays_is_not(
    pair: tuple[Image, Image],
) -> None:
    flow = flow_from_pictures(*pair)
    mask = np.zeros(pair[0].shape[:2], bool)
    mask[20:70, 40:50] = True
    assert consistency(flow, mask, np.roll(mask, SHIFT, axis=1)) > 0.95
    assert consistency(flow, mask, mask) == pytest.approx(1 / 3, abs=0.05)


def test_what_does_not_match_is_unknown(texture: Image) -> None:
    other = np.random.default_rng(4).integers(0, 255, texture.shape, np.uint8)
    assert flow_from_pictures(texture, other).known.mean() < 0.5


def test_nothing_is_known_outside_either_view(pair: tuple[Image, Image]) -> None:
    before, now = (np.ones(pair[0].shape[:2], bool) for _ in range(2))
    before[:, :30], now[:, 60:] = False, False
    known = flow_from_pictures(*pair, views=(before, now)).known
    assert not known[:, 60:].any() and not known[:, : 30 + SHIFT - 1].any()
    assert known[:, 40:55].mean() > 0.9
