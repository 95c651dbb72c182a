"""Motion between pictures, on a texture that moves as told."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from engine.motion import carry, outline_motions, picture_flow

TEXTURE = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (400, 600, 3)).astype(np.uint8), (0, 0), 3
)
TEXTURE = cv2.normalize(TEXTURE, None, 0, 255, cv2.NORM_MINMAX)


GREY = cv2.cvtColor(TEXTURE, cv2.COLOR_RGB2GRAY)
SQUARE = np.array(
    [(x, y) for x in range(60, 121, 4) for y in (40, 100)]
    + [(x, y) for y in range(40, 101, 4) for x in (60, 120)],
    np.float32,
)


def test_an_outline_moves_with_a_shifted_picture() -> None:
    flow = picture_flow(GREY[40:200, 40:240], GREY[37:197, 45:245])
    (motion,) = outline_motions([SQUARE], flow)
    assert carry(SQUARE, motion) == pytest.approx(SQUARE + np.array([-5, 3]), abs=0.3)


def test_an_outline_grows_as_the_camera_approaches() -> None:
    closer = cv2.resize(GREY[:160, :200], None, fx=1.05, fy=1.05)[:160, :200]
    (motion,) = outline_motions([SQUARE], picture_flow(GREY[:160, :200], closer))
    assert carry(SQUARE, motion) == pytest.approx(SQUARE * 1.05, abs=0.7)


def test_each_outline_follows_what_happens_along_itself() -> None:
    flow = np.zeros((160, 200, 2), np.float32)
    flow[:, 100:] = 3, 0
    left, right = SQUARE * 0.5, SQUARE * 0.5 + np.array([80, 0])
    motions = outline_motions([left, right.astype(np.float32)], flow)
    assert carry(left, motions[0]) == pytest.approx(left, abs=0.01)
    assert carry(right, motions[1]) == pytest.approx(right + np.array([3, 0]), abs=0.01)


def test_a_few_points_that_went_elsewhere_do_not_turn_the_outline() -> None:
    flow = np.full((160, 200, 2), (2, 1), np.float32)
    flow[:50, :75] = -9, 8
    (motion,) = outline_motions([SQUARE], flow)
    assert carry(SQUARE, motion) == pytest.approx(SQUARE + np.array([2, 1]), abs=0.5)


def test_a_turn_by_hand() -> None:
    corners = np.array([(10, 10), (30, 10), (30, 30), (10, 30)], np.float32)
    flow = np.zeros((40, 40, 2), np.float32)
    for x, y in corners.astype(int):
        # A turn by a small angle t about (20, 20) moves (x, y) by t (20 - y, x - 20).
        flow[y, x] = 0.05 * (20 - y), 0.05 * (x - 20)
    (motion,) = outline_motions([corners], flow)
    # 200 px² of every point against 4 px² of stiffness.
    turn = 0.05 * 200 / 204
    expected = [[1, -turn, 20 * turn], [turn, 1, -20 * turn]]
    assert motion == pytest.approx(np.array(expected), abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (31, 100)])
def test_in_a_tiny_picture_nothing_moves(shape: tuple[int, int]) -> None:
    tiny = np.zeros(shape, np.uint8)
    assert not picture_flow(tiny, tiny).any()


def test_pictures_of_different_sizes_have_no_flow() -> None:
    assert not picture_flow(GREY[:100, :100], GREY[:100, :90]).any()


def test_flow_is_the_same_in_another_thread() -> None:
    pictures = GREY[40:200, 40:240], GREY[37:197, 45:245]
    with ThreadPoolExecutor(1) as pool:
        elsewhere = pool.submit(picture_flow, *pictures).result()
    assert np.array_equal(elsewhere, picture_flow(*pictures))
