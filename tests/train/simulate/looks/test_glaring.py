"""Over-exposed walls on one side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from train.simulate.dataset import SimulatedSet
from train.simulate.looks.glaring import draw_glaring, leaned
from train.simulate.looks.mucosa import MucosaLook


def test_light_doubles_along_the_lean_and_halves_against_it() -> None:
    rays = np.array([[[1, 0, 0], [0, 0, 1], [-1, 0, 0], [0.6, 0, 0.8]]], np.float32)
    expected = [[2.0, 1.0, 0.5, 2.0**0.6]]
    assert leaned(rays, np.array([np.log(2), 0.0, 0.0])) == pytest.approx(np.array(expected))


def test_a_leaning_look_is_lit_as_the_mucosa_times_the_lean(tiny_set: Path) -> None:
    frame = SimulatedSet(tiny_set).frame("a", 0)
    look = draw_glaring(np.random.default_rng(4))
    straight = MucosaLook.radiance(look, frame)
    ratio = look.radiance(frame)[frame.valid] / np.maximum(straight[frame.valid], 1e-12)
    lit = straight[frame.valid] > 1e-9
    expected = np.broadcast_to(leaned(frame.rays, look.lean)[frame.valid][:, None], ratio.shape)
    assert ratio[lit] == pytest.approx(expected[lit], rel=1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_light_leans_to_the_stronger_lamp(seed: int) -> None:
    look = draw_glaring(np.random.default_rng(seed))
    strongest = look.lamps.place_mm[np.argmax(look.lamps.power)]
    assert look.lean @ strongest > 0


def test_any_side_may_be_the_bright_one() -> None:
    leans = np.stack([draw_glaring(np.random.default_rng(seed)).lean for seed in range(40)])
    assert {tuple(signs) for signs in np.sign(leans[:, :2])} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
