from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from engine.overlay import PALETTE, UNTRACKED, OverlayStyle, colour_of, paint_overlay, thinned
from engine.tracker import TrackerOptions
from engine.types import Image, Mask, Points, read_only
from tests.fakes import fold, rectangle

HEIGHT, WIDTH = 240, 320
OUTLINE = OverlayStyle(filled=False)


@pytest.fixture
def image() -> Image:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return read_only(noise)


def changed(before: Image, after: Image) -> Mask:
    """(H, W) pixels that differ in any channel."""
    return np.asarray((before != after).any(axis=2))


def circle(centre: tuple[float, float], radius: float) -> Points:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    return np.stack(
        [centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1
    ).astype(np.float32)


def near(contour: Points, reach_px: float, *, inside: bool) -> Mask:
    """(H, W) pixels within `reach_px` of the outline, or inside it too."""
    outline = np.round(contour).astype(np.int32)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.polylines(mask, [outline], True, 255)
    away = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
    if inside:
        cv2.fillPoly(mask, [outline], 255)
    return np.asarray((away <= reach_px) | (mask > 0))


def test_no_folds_leave_every_pixel_alone(image: Image) -> None:
    assert np.array_equal(paint_overlay(image, ()), image)


def test_the_picture_given_is_not_painted_on(image: Image) -> None:
    before = image.copy()
    paint_overlay(image, [fold(circle((100, 100), 40))])
    assert np.array_equal(image, before)


@pytest.mark.parametrize("track", range(6))
def test_only_strokes_and_fills_differ(image: Image, track: int) -> None:
    contour = circle((160.3, 120.7), 70)
    painted = paint_overlay(image, [fold(contour, track)])
    assert not changed(image, painted)[~near(contour, 5.0, inside=True)].any()


def test_outlines_alone_leave_the_inside_as_it_is(image: Image) -> None:
    contour = circle((160, 120), 70)
    painted = paint_overlay(image, [fold(contour)], OUTLINE)
    assert not changed(image, painted)[~near(contour, 5.0, inside=False)].any()


def test_a_fill_is_blended_by_its_opacity() -> None:
    grey: Image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    painted = paint_overlay(grey, [fold(rectangle(50, 50, 150, 150), 1)], OverlayStyle(0.25))
    expected = [round(0.75 * 100 + 0.25 * channel) for channel in colour_of(1)]
    assert painted[100, 100] == pytest.approx(expected, abs=1)


def test_a_tall_fill_has_no_seams() -> None:
    grey: Image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    painted = paint_overlay(grey, [fold(rectangle(50, 5, 150, 235), 1)], OverlayStyle(0.25))
    assert len(np.unique(painted[12:228, 60:140].reshape(-1, 3), axis=0)) == 1


def test_the_outline_has_the_colour_of_its_track() -> None:
    grey: Image = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    style = OverlayStyle(filled=False, stroke_px=5)
    painted = paint_overlay(grey, [fold(rectangle(50, 50, 150, 150), 3)], style)
    assert tuple(painted[50, 100]) == colour_of(3)


def test_the_outline_has_a_dark_edge() -> None:
    grey: Image = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    style = OverlayStyle(filled=False, stroke_px=3)
    painted = paint_overlay(grey, [fold(rectangle(50, 50, 150, 150))], style)
    column = painted[44:57, 100].astype(int).sum(axis=1)
    assert column.min() < 300


def test_opacity_zero_paints_outlines_only(image: Image) -> None:
    contour = circle((160, 120), 70)
    transparent = paint_overlay(image, [fold(contour)], OverlayStyle(opacity=0.0))
    assert np.array_equal(transparent, paint_overlay(image, [fold(contour)], OUTLINE))


@pytest.mark.parametrize(
    "contour",
    [
        circle((0, 0), 50),
        circle((WIDTH, HEIGHT), 50),
        circle((-500, -500), 20),
        circle((160, 120), 1000),
        rectangle(5, 5, 5, 5),
    ],
)
def test_folds_may_reach_over_the_border(image: Image, contour: Points) -> None:
    assert paint_overlay(image, [fold(contour)]).shape == image.shape


def test_two_points_are_no_outline(image: Image) -> None:
    line = np.array([(10, 10), (50, 50)], np.float32)
    assert np.array_equal(paint_overlay(image, [fold(line)]), image)


def test_one_pixel_can_be_painted_on() -> None:
    dot: Image = np.zeros((1, 1, 3), np.uint8)
    assert paint_overlay(dot, [fold(rectangle(-0.5, -0.5, 0.5, 0.5))]).shape == (1, 1, 3)


def test_strokes_grow_with_the_picture() -> None:
    widths = [OverlayStyle().width_px(height) for height in (120, 240, 720, 2160)]
    assert widths == [1, 2, 2, 6]


def test_neighbouring_tracks_have_different_colours() -> None:
    colours = [colour_of(track) for track in range(1, 20)]
    assert all(one != other for one, other in pairwise(colours))


def test_a_track_keeps_its_colour() -> None:
    assert colour_of(7) == colour_of(7) == PALETTE[1]


def test_what_is_not_tracked_is_grey() -> None:
    assert colour_of(0) == UNTRACKED


@pytest.mark.parametrize(("opacity", "stroke_px"), [(-0.1, None), (1.1, None), (0.5, 0.0)])
def test_impossible_styles_are_refused(opacity: float, stroke_px: float | None) -> None:
    with pytest.raises(ValueError, match=r"opacity|stroke"):
        OverlayStyle(opacity, True, stroke_px)


def test_the_tracker_counts_as_many_colours_as_there_are() -> None:
    assert TrackerOptions().colours == len(PALETTE)


def test_thinning_leaves_out_points_on_a_straight_line() -> None:
    line = np.array([(0, 0), (5, 0), (10, 0), (10, 10), (5, 10.2), (0, 10)], np.float32)
    assert thinned(line).tolist() == [[0, 0], [10, 0], [10, 10], [0, 10]]


def test_thinning_keeps_a_third_of_a_pixel() -> None:
    line = np.array([(0, 0), (10, 0), (10, 10), (5, 10.6), (0, 10)], np.float32)
    assert len(thinned(line)) == 5


def test_every_part_of_a_fold_is_painted_and_nothing_between(image: Image) -> None:
    broken = replace(fold(rectangle(40, 40, 90, 60)), parts=(rectangle(150, 40, 200, 60),))
    painted = changed(image, paint_overlay(image, [broken], OverlayStyle(0.5)))
    assert painted[50, 65]
    assert painted[50, 175]
    assert not painted[:, 100:140].any()
