"""Narrow band light."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.looks.nbi import draw_narrow_skin, narrow_band


def test_the_shorter_band_is_shown_twice() -> None:
    assert narrow_band(0.3, 0.5) == pytest.approx([0.5, 0.3, 0.3])


@pytest.mark.parametrize("seed", range(8))
def test_vessels_near_the_surface_are_brown_and_those_below_are_cyan(seed: int) -> None:
    skin = draw_narrow_skin(np.random.default_rng(seed))
    near, below = skin.base * np.exp(-skin.fine), skin.base * np.exp(-skin.broad)
    assert near[0] / near[1] > skin.base[0] / skin.base[1]
    assert below[0] / below[1] < skin.base[0] / skin.base[1]
    assert near.mean() < skin.base.mean()


@pytest.mark.parametrize("seed", range(8))
def test_bile_looks_red(seed: int) -> None:
    skin = draw_narrow_skin(np.random.default_rng(seed))
    assert skin.stain[0] > 2 * skin.stain[1]
