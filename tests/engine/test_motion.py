"""Motion between pictures, on a texture that moves as told."""

import cv2
import numpy as np
import pytest

from engine.motion import camera_motion

TEXTURE = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (400, 600, 3)).astype(np.uint8), (0, 0), 3
)
TEXTURE = cv2.normalize(TEXTURE, None, 0, 255, cv2.NORM_MINMAX)


def test_motion_of_a_shifted_picture_is_the_shift() -> None:
    grey = cv2.cvtColor(TEXTURE, cv2.COLOR_RGB2GRAY)
    motion = camera_motion(grey[40:200, 40:240], grey[37:197, 45:245])
    assert motion == pytest.approx(np.array([[1, 0, -5], [0, 1, 3]]), abs=0.15)


def test_motion_without_texture_is_none() -> None:
    flat = np.full((100, 100), 80, np.uint8)
    assert np.array_equal(camera_motion(flat, flat), np.eye(2, 3))
