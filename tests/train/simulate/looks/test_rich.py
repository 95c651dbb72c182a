"""White light."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.looks.rich import (
    COLOUR_FAMILIES,
    NARROW_BAND,
    UNREDDENED,
    coloured,
    draw_base,
    draw_rich,
)


def test_a_colour_has_the_ratios_it_is_made_of() -> None:
    red, green, blue = coloured(np.log(2), np.log(1.25))
    assert (red, green, blue) == pytest.approx((0.8, 0.4, 0.32))


def test_shares_of_colour_families_sum_to_one() -> None:
    assert sum(share for share, _, _ in COLOUR_FAMILIES) == pytest.approx(1.0)


def test_drawn_mucosa_is_as_red_as_that_of_real_frames() -> None:
    rng = np.random.default_rng(6)
    base = np.stack([draw_base(rng) for _ in range(600)])
    red_green = np.log(base[:, 0] / base[:, 1]) / UNREDDENED
    green_blue = np.log(base[:, 1] / base[:, 2]) / UNREDDENED
    # Means over 250 frames each of PolypGen (1.09, 0.70) and Kvasir-SEG (1.40, 0.88).
    assert 1.09 < red_green.mean() < 1.40
    assert 0.70 < green_blue.mean() < 0.88


def test_few_looks_are_in_narrow_band_light() -> None:
    rng = np.random.default_rng(2)
    bands = [
        look.skin.stain[1] == look.skin.stain[2] for look in (draw_rich(rng) for _ in range(400))
    ]
    assert np.mean(bands) == pytest.approx(NARROW_BAND, abs=0.02)
