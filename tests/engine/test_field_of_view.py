"""The endoscope's picture inside a frame."""

import cv2
import numpy as np
import pytest

from engine.preprocess import FieldOfView, find_field_of_view


def circle(height: int = 480, width: int = 640, level: int = 120) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    cv2.circle(image, (width // 2, height // 2), height // 2 - 10, (level, level // 2, 60), -1)
    return image


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_a_circle_is_found() -> None:
    image = circle()
    assert iou(find_field_of_view(image).mask, image.any(axis=2)) > 0.96


def test_text_and_a_detached_inset_lie_outside() -> None:
    image = circle()
    cv2.putText(image, "23/11/2026", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    image[380:470, 5:80] = (0, 200, 80)
    mask = find_field_of_view(image).mask
    assert not mask[10:25, 5:60].any()
    assert not mask[440:460, 20:50].any()


def test_a_full_frame_is_all_picture() -> None:
    assert find_field_of_view(np.full((479, 641, 3), 90, np.uint8)).mask.mean() > 0.98


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 300, 3), (480, 640, 3)])
def test_a_black_picture_counts_whole(shape: tuple[int, int, int]) -> None:
    assert find_field_of_view(np.zeros(shape, np.uint8)).mask.all()


def test_a_dark_frame_keeps_what_was_known() -> None:
    known = find_field_of_view(circle())
    assert find_field_of_view(np.zeros((480, 640, 3), np.uint8), known) is known


def test_an_unchanged_view_keeps_its_mask() -> None:
    known = find_field_of_view(circle())
    assert find_field_of_view(circle(level=140), known).mask is known.mask


def test_another_frame_size_starts_anew() -> None:
    known = FieldOfView.whole((100, 100, 3))
    assert find_field_of_view(circle(), known).mask.shape == (480, 640)
