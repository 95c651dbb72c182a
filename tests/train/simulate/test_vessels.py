"""Vessel trees."""

import numpy as np
import pytest

from train.simulate.vessels import BROAD, FINE, VesselKind, vessel_layer


@pytest.fixture(scope="module", params=[FINE, BROAD], ids=["fine", "broad"])
def layer(request: pytest.FixtureRequest) -> np.ndarray:
    kind: VesselKind = request.param
    return vessel_layer(np.random.default_rng(3), 512, kind)


def test_vessels_cover_a_part_of_the_tile(layer: np.ndarray) -> None:
    assert layer.min() >= 0
    assert layer.max() <= 1
    assert 0.05 < (layer > 0.2).mean() < 0.8


def test_vessels_cross_the_borders_of_a_tile_unbroken(layer: np.ndarray) -> None:
    inside = np.abs(np.diff(layer, axis=0)).mean()
    assert np.abs(layer[0] - layer[-1]).mean() < 2 * inside


def test_broad_vessels_are_blurred_by_what_lies_over_them() -> None:
    fine, broad = (vessel_layer(np.random.default_rng(3), 128, kind) for kind in (FINE, BROAD))
    steepest = [np.abs(np.diff(each, axis=1)).max() for each in (fine, broad)]
    assert steepest[1] < steepest[0]
