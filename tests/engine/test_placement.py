"""Forward for pictures, back for points: there and back is where one was."""

import cv2
import numpy as np
import pytest

from engine.preprocess import Placement


@pytest.mark.parametrize(
    "crop", [(0, 0, 640, 480), (17, 5, 311, 499), (3, 4, 1, 1), (0, 0, 3840, 2160), (0, 0, 90, 80)]
)
def test_points_come_back_to_where_they_were(crop: tuple[int, int, int, int]) -> None:
    placement = Placement.fit(crop, 256)
    points = np.array([[crop[0], crop[1]], [crop[0] + crop[2] / 3, crop[1] + 1]], np.float32)
    there = placement.points_to_grid(points)
    assert placement.points_to_frame(there) == pytest.approx(points, abs=2e-3)


def test_a_bright_square_lands_where_its_corners_do() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[100:200, 300:400] = 255
    placement = Placement.fit((0, 0, 640, 480), 256)
    grid = placement.image_to_grid(image)[..., 0] > 127
    y, x = np.nonzero(grid)
    corners = placement.points_to_grid(np.array([[299.5, 99.5], [399.5, 199.5]], np.float32))
    assert [x.min() - 0.5, y.min() - 0.5] == pytest.approx(corners[0], abs=0.6)
    assert [x.max() + 0.5, y.max() + 0.5] == pytest.approx(corners[1], abs=0.6)


@pytest.mark.parametrize("size", [(1920, 1080), (1279, 719), (3840, 2160)])
def test_shrinking_averages_what_it_leaves_out(size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 2, (size[1], size[0], 3)).astype(np.uint8) * 200
    placement = Placement.fit((0, 0, *size), 128)
    grid = placement.image_to_grid(image)
    inside = grid[placement.y : placement.y + placement.height]
    assert inside.mean() == pytest.approx(100, abs=2)
    assert inside.std() < 15


def test_a_large_picture_is_not_shifted_by_shrinking() -> None:
    image = np.zeros((1079, 1919, 3), np.uint8)
    image[1000:, 1800:] = 255
    placement = Placement.fit((0, 0, 1919, 1079), 256)
    y, x = np.nonzero(placement.image_to_grid(image)[..., 0] > 127)
    (corner,) = placement.points_to_grid(np.array([[1799.5, 999.5]], np.float32))
    assert [x.min() - 0.5, y.min() - 0.5] == pytest.approx(corner, abs=0.6)


def test_the_aspect_ratio_is_kept() -> None:
    scale_x, scale_y = Placement.fit((0, 0, 720, 576), 256).scale
    assert scale_x == pytest.approx(scale_y, rel=0.01)


def test_an_empty_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot place"):
        Placement.fit((0, 0, 0, 5), 256)


def test_a_map_returns_to_the_frame() -> None:
    placement = Placement.fit((10, 20, 100, 50), 64)
    frame = placement.map_to_frame(np.ones((64, 64), np.float32), (100, 200))
    assert frame.sum() == pytest.approx(100 * 50)


def test_the_weights_of_a_halving_are_halves() -> None:
    rows, columns = Placement.fit((6, 3, 4, 2), 2).weights()
    assert rows.tolist() == [[0.5, 0.5]]
    assert columns.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]


@pytest.mark.parametrize(
    "crop", [(3, 5, 97, 81), (0, 0, 160, 120), (1, 1, 44, 40), (9, 2, 20, 16), (0, 0, 150, 3)]
)
def test_the_weights_do_what_placing_does_but_for_rounding(
    crop: tuple[int, int, int, int],
) -> None:
    x, y, width, height = crop
    image = cv2.blur(np.random.default_rng(2).integers(0, 256, (130, 170), np.uint8), (2, 2))
    placement = Placement.fit(crop, 36)
    rows, columns = placement.weights()
    expected = placement.image_to_grid(image)[
        placement.y : placement.y + placement.height, placement.x : placement.x + placement.width
    ]
    found = rows @ image[y : y + height, x : x + width].astype(np.float32) @ columns.T
    assert found == pytest.approx(expected.astype(np.float32), abs=1.6)
    assert rows.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
