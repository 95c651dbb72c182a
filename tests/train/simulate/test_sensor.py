"""From radiance to pixels."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.sensor import (
    Exposure,
    Processor,
    bleached,
    bloom,
    compress,
    expose,
    gain,
    noise,
    process,
    shoulder,
    smear,
    steepened,
    tone,
)

GREY = np.full((64, 64, 3), 0.4, np.float32)
EVERYWHERE = np.ones((64, 64), bool)


def seeded() -> np.random.Generator:
    return np.random.default_rng(2)


def test_the_gain_brings_median_and_ninth_decile_to_their_aims_on_average() -> None:
    # Both are 0.4: sqrt(0.1 / 0.4 * 0.9 / 0.4)
    assert gain(GREY, EVERYWHERE, Exposure(middle=0.1, bright=0.9)) == pytest.approx(0.75)


def test_what_lies_outside_the_view_is_not_metered() -> None:
    half = EVERYWHERE.copy()
    half[:32] = False
    bright = GREY.copy()
    bright[:32] = 100
    assert gain(bright, half, Exposure()) == pytest.approx(gain(GREY, EVERYWHERE, Exposure()))


def test_a_view_of_nothing_is_exposed_as_it_is() -> None:
    assert gain(GREY, ~EVERYWHERE, Exposure()) == 1.0


def test_the_shoulder_bends_what_is_above_the_knee() -> None:
    light = np.array([0.3, 0.5, 1.0, 50.0])
    assert shoulder(light, 0.5) == pytest.approx([0.3, 0.5, 0.8160603, 1.0])  # 1 - 0.5 / e


def test_tone_is_a_power_below_the_knee() -> None:
    light = np.array([[[0.0, 0.18, 0.5]]], np.float32)
    assert tone(light, Exposure(knee=0.75, gamma=2.2))[0, 0] == pytest.approx(
        [0.0, 0.458657, 0.729740], abs=1e-3
    )


def test_contrast_turns_about_middle_grey() -> None:
    display = np.array([0.1, 0.45, 0.65, 0.95])
    assert steepened(display, 1.5) == pytest.approx([0.0, 0.45, 0.75, 1.0])


def test_each_colour_gains_a_share_of_the_excess_of_the_brightest() -> None:
    picture = np.array([[[3.0, 0.8, 0.2], [0.9, 0.4, 0.1]]], np.float32)
    expected = np.array([[[3.5, 1.3, 0.7], [0.9, 0.4, 0.1]]])  # 0.25 of 3 - 1; nothing below white
    assert bleached(picture, 0.25) == pytest.approx(expected)


def test_only_light_beyond_white_blooms() -> None:
    assert not bloom(GREY).any()
    spot = GREY.copy()
    spot[32:36, 32:36] = 3.0
    spread = bloom(spot)
    assert spread[34, 34, 0] > spread[34, 44, 0] >= 0
    assert spread.mean() == pytest.approx(2.0 * 16 / 64**2, rel=0.05)


def test_motion_moves_light_along_its_direction_and_loses_none() -> None:
    point = np.zeros((33, 33, 3), np.float32)
    point[16, 16] = 1
    blurred = smear(point, 8.0, 0.0)
    assert blurred.sum() == pytest.approx(3.0, rel=1e-3)
    assert blurred[16, 19, 0] > 0.05
    assert blurred[19, 16, 0] == 0


def test_noise_is_of_unit_variance_and_another_piece_each_time() -> None:
    rng = seeded()
    first, second = noise((200, 300), rng), noise((200, 300), rng)
    assert first.shape == (200, 300, 3)
    assert first.std() == pytest.approx(1.0, abs=0.02)
    assert not np.array_equal(first, second)


def test_noise_covers_a_picture_larger_than_its_sheet() -> None:
    assert noise((1100, 2000), seeded()).shape == (1100, 2000, 3)


def test_the_same_generator_exposes_the_same_picture() -> None:
    settings = Exposure(unsteady=0.2), Processor(motion=0.5, blur_px=1.0, bloom=0.3)
    one, other = (expose(GREY, EVERYWHERE, *settings, seeded()) for _ in range(2))
    assert np.array_equal(one, other)


def test_sharpening_leaves_a_halo_beside_an_edge() -> None:
    edge = GREY.copy()
    edge[:, 32:] = 0.8
    sharp = process(edge, Processor(sharpen=1.0), seeded())
    assert sharp[32, 31, 0] < 0.4 < 0.8 < sharp[32, 32, 0]
    assert sharp[32, 5, 0] == pytest.approx(0.4, abs=1e-4)


def test_colour_is_blurred_and_luminance_is_not() -> None:
    edge = np.zeros((64, 64, 3), np.float32) + np.float32([0.5, 0.3, 0.2])
    edge[:, 32:] = [0.2, 0.4, 0.5]
    soft = process(edge, Processor(chroma_px=2.0), seeded())
    weights = np.float32([0.2126, 0.7152, 0.0722])
    assert soft @ weights == pytest.approx(edge @ weights, abs=1e-4)
    assert 0.22 < soft[32, 32, 0] < 0.48


def test_quality_zero_is_no_compression() -> None:
    image = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
    assert compress(image, 0) is image
    assert compress(image, 60).shape == image.shape


def test_jpeg_keeps_red_red() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert np.abs(compress(red, 95).astype(int) - red).max() < 6
