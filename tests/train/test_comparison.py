from __future__ import annotations

import numpy as np
import pytest

from train.comparison import Measured
from train.pictures import DeepFeatures, PictureSet

SIZE = 64


def grey_set(name: str, level: int, count: int = 8) -> PictureSet:
    """Noise around one grey level, each picture its own block."""
    rng = np.random.default_rng(level)
    grey = np.clip(rng.normal(level, 5, (count, SIZE, SIZE, 1)), 0, 255)
    images = np.repeat(grey, 3, axis=3).astype(np.uint8)
    return PictureSet(name, images, np.ones((count, SIZE, SIZE), bool), np.arange(count))


@pytest.fixture(scope="module")
def dark_and_light() -> tuple[Measured, Measured]:
    features = DeepFeatures(pretrained=False)
    return (
        Measured.of(grey_set("dark", 80), features),
        Measured.of(grey_set("light", 160), features),
    )


def test_a_mid_grey_set_has_its_lightness_and_no_colour(
    dark_and_light: tuple[Measured, Measured],
) -> None:
    """sRGB 160 is L* 65.9."""
    assert dark_and_light[1].looks().mean == pytest.approx((65.9, 0, 0), abs=0.3)


def test_only_lightness_tells_two_greys_apart(dark_and_light: tuple[Measured, Measured]) -> None:
    """L* 33.9 against 65.9."""
    colour = dark_and_light[0].against(dark_and_light[1]).colour
    assert colour.lightness == pytest.approx(31.9, abs=0.4)
    assert colour.red_green == pytest.approx(0, abs=0.05)


def test_noise_of_one_kind_has_one_slope(dark_and_light: tuple[Measured, Measured]) -> None:
    slope = dark_and_light[0].against(dark_and_light[1]).slope["fine"]
    assert slope.low < 0 < slope.high


def test_a_white_set_is_all_highlight() -> None:
    white = Measured.of(grey_set("white", 255), DeepFeatures(pretrained=False))
    assert white.looks().bright > 0.95
    assert white.looks().dark == 0


def test_a_row_has_as_many_cells_as_the_table(dark_and_light: tuple[Measured, Measured]) -> None:
    assert dark_and_light[0].against(dark_and_light[1]).row().count("|") == 12
    assert dark_and_light[0].looks().row().count("|") == 11


def test_the_centre_is_compared_apart_from_the_border() -> None:
    plain = grey_set("plain", 100)
    images = plain.images.copy()
    images[:, :8] = 255
    framed = PictureSet("framed", images, plain.valid, plain.blocks)
    features = DeepFeatures(pretrained=False)
    first, second = (Measured.of(each, features) for each in (plain, framed))
    assert (first.window == second.window).all()
    assert not (first.whole == second.whole).all()
