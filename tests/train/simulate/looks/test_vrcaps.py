"""The paper's domain X."""

import numpy as np
import pytest

from train.simulate.light import spot
from train.simulate.looks.vrcaps import (
    HALF_SPOT_RAD,
    draw_vrcaps,
    half_spot_mu,
    normal_reflectance,
)


def test_glass_mirrors_a_twenty_fifth() -> None:
    assert normal_reflectance(1.5) == pytest.approx(0.04)


def test_the_spot_has_fallen_to_a_half_at_its_half_angle() -> None:
    mu = half_spot_mu(HALF_SPOT_RAD)
    assert spot(float(np.cos(HALF_SPOT_RAD)), mu) == pytest.approx(0.5, rel=1e-6)


def test_only_the_place_of_the_texture_differs_between_videos() -> None:
    one, other = (draw_vrcaps(np.random.default_rng(seed)) for seed in (1, 2))
    assert one.wall != other.wall
    assert np.array_equal(one.skin.base, other.skin.base)
    assert one.exposure == other.exposure
