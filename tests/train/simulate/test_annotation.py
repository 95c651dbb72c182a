"""Labels of small views by hand: a flat wall at 40 mm with something nearer in front of it."""

import math

import numpy as np
import pytest

from train.simulate.annotation import annotate, short_edges
from train.simulate.camera import Pinhole
from train.simulate.dataset import Flag
from train.simulate.rays import OcclusionOptions
from train.simulate.tube import Feature

CAMERA = Pinhole.wide(64, 64, math.radians(60))
FAR_MM, NEAR_MM = 40.0, 20.0
NOTHING = np.zeros((64, 64), np.uint8)


def wall_with(hole: slice) -> np.ndarray:
    """A near wall with a square hole through which the far one is seen; distance along z."""
    z = np.full((64, 64), NEAR_MM)
    z[hole, hole] = FAR_MM
    return (z / CAMERA.rays()[..., 2]).astype(np.float32)


def edge_of(distance: np.ndarray, shortest_mm: float) -> np.ndarray:
    options = OcclusionOptions(crest_within_mm=math.inf, shortest_edge_mm=shortest_mm)
    flags, _ = annotate(distance, np.zeros((64, 64), np.uint16), NOTHING, CAMERA, options)
    return (flags & Flag.EDGE) > 0


def test_the_rim_of_a_small_hole_is_no_fold() -> None:
    # Eight pixels at 20 mm are 2.9 mm, from corner to corner with the rim 5.1 mm.
    small = wall_with(slice(28, 36))
    assert edge_of(small, 0.0).any()
    assert not edge_of(small, 6.0).any()


def test_the_rim_of_a_wide_opening_stays() -> None:
    assert edge_of(wall_with(slice(12, 52)), 6.0).any()


def test_an_edge_that_touches_a_crest_stays() -> None:
    distance = wall_with(slice(28, 36))
    edge = np.zeros((64, 64), dtype=bool)
    edge[27, 28:36] = True
    crest = np.zeros_like(edge)
    assert short_edges(edge, crest, distance, CAMERA, 6.0).any()
    crest[27, 30] = True
    assert not short_edges(edge, crest, distance, CAMERA, 6.0).any()


@pytest.mark.parametrize("feature", [Feature.POLYP, Feature.FLUID, Feature.VALVE])
def test_what_is_no_fold_is_never_labelled_one(feature: Feature) -> None:
    everywhere = np.full((64, 64), feature, np.uint8)
    flags, instances = annotate(
        wall_with(slice(12, 52)), np.zeros((64, 64), np.uint16), everywhere, CAMERA
    )
    assert not (flags & (Flag.FOLD | Flag.EDGE)).any()
    assert not instances.any()
