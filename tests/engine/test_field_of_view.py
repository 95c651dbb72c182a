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


@pytest.mark.parametrize("shape", ["octagon", "rectangle", "left half"])
def test_other_shapes_are_found(shape: str) -> None:
    outlines = {
        "octagon": [(100, 60), (540, 60), (600, 120), (600, 360), (540, 420), (100, 420),
                    (40, 360), (40, 120)],
        "rectangle": [(80, 20), (560, 20), (560, 460), (80, 460)],
        "left half": [(0, 0), (320, 0), (320, 480), (0, 480)],
    }  # fmt: skip
    image = np.full((480, 640, 3), 17, np.uint8)
    cv2.fillPoly(image, [np.array(outlines[shape])], (140, 80, 60))
    assert iou(find_field_of_view(image).mask, image[..., 0] > 100) > 0.96


def test_an_inset_that_covers_a_corner_lies_outside() -> None:
    image = np.full((480, 640, 3), (150, 90, 70), np.uint8)
    image[340:, :200] = 0
    mask = find_field_of_view(image).mask
    assert not mask[350:, :190].any()
    assert mask[:330].all()


def test_a_status_bar_lies_outside() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[20:440, 40:600] = (150, 90, 70)
    image[468:] = (60, 60, 60)
    assert not find_field_of_view(image).mask[465:].any()


def test_a_dark_lumen_at_the_rim_belongs_to_the_picture_once_the_rim_was_lit() -> None:
    image = circle()
    with_lumen = image.copy()
    cv2.circle(with_lumen, (320, 60), 130, (3, 2, 2), -1)
    known = find_field_of_view(with_lumen, find_field_of_view(image))
    assert known.mask[20, 320]


def test_a_dark_lumen_in_the_middle_belongs_to_the_picture() -> None:
    image = circle()
    cv2.circle(image, (320, 240), 120, (0, 0, 0), -1)
    assert find_field_of_view(image).mask[240, 320]


def test_red_out_is_all_picture() -> None:
    image = circle()
    image[image.any(axis=2)] = (255, 0, 0)
    assert iou(find_field_of_view(image).mask, image.any(axis=2)) > 0.96


def test_a_grey_picture_is_as_good() -> None:
    image = np.repeat(circle()[..., :1], 3, axis=2)
    assert iou(find_field_of_view(image).mask, image[..., 0] > 0) > 0.96


def test_noise_does_not_make_the_outline_jitter() -> None:
    rng = np.random.default_rng(0)
    known = find_field_of_view(circle())
    masks = []
    for _ in range(5):
        noisy = np.clip(circle().astype(np.int16) + rng.normal(0, 6, (480, 640, 3)), 0, 255)
        known = find_field_of_view(noisy.astype(np.uint8), known)
        masks.append(known.mask)
    assert all(mask is masks[0] for mask in masks)


def test_the_view_grows_with_what_later_frames_show() -> None:
    half = circle()
    half[:, 320:] = 0
    known = find_field_of_view(circle(), find_field_of_view(half))
    assert known.mask[240, 500]


def test_what_stays_dark_for_long_leaves_the_view() -> None:
    half = circle()
    half[:, 320:] = 0
    known = find_field_of_view(circle())
    for _ in range(400):
        known = find_field_of_view(half, known)
    assert not known.mask[240, 500]


def test_the_box_is_the_smallest_around_the_mask() -> None:
    view = find_field_of_view(circle())
    x, y, width, height = view.box
    assert view.mask.sum() == view.mask[y : y + height, x : x + width].sum()
    assert all(side.any() for side in (view.mask[y], view.mask[y + height - 1]))


def test_the_mask_is_read_only() -> None:
    assert not find_field_of_view(circle()).mask.flags.writeable


def test_another_frame_size_starts_anew() -> None:
    known = FieldOfView.whole((100, 100, 3))
    assert find_field_of_view(circle(), known).mask.shape == (480, 640)
