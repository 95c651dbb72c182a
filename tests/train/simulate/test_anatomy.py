"""The procedural colon."""

import numpy as np
import pytest

from train.simulate.anatomy import ColonShape, grow_colon
from train.simulate.tube import Tube


@pytest.fixture(scope="module")
def tube() -> Tube:
    rng = np.random.default_rng(4)
    return grow_colon(rng, ColonShape.draw(rng, length=120.0), step_mm=1.0)


def test_one_seed_gives_one_colon() -> None:
    one, other = (
        grow_colon(rng, ColonShape.draw(rng, length=80.0), step_mm=2.0)
        for rng in (np.random.default_rng(9), np.random.default_rng(9))
    )
    assert np.array_equal(one.vertices, other.vertices)


def test_the_wall_stays_within_an_adult_lumen(tube: Tube) -> None:
    gaps = np.linalg.norm(tube.vertices[:, None] - tube.centreline[None, ::5], axis=2).min(axis=1)
    assert gaps.max() < 45.0


def test_faces_look_into_the_lumen(tube: Tube) -> None:
    a, b, c = (tube.vertices[tube.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    middle = (a + b + c) / 3
    nearest = np.argmin(
        np.linalg.norm(middle[:, None] - tube.centreline[None, ::5], axis=2), axis=1
    )
    inward = tube.centreline[::5][nearest] - middle
    assert np.mean(np.sum(normal * inward, axis=1) > 0) > 0.9


def test_folds_are_part_of_the_wall(tube: Tube) -> None:
    assert 2.0 < tube.folds.crest_mm.max() < 20.0
    assert tube.folds.share.max() == pytest.approx(1.0, abs=0.05)


def test_folds_are_numbered_and_narrow_as_more_of_their_height_is_asked_for(tube: Tube) -> None:
    low, high = (tube.folds.region(share) for share in (0.2, 0.6))
    assert len(np.unique(low)) > 5
    assert 0 < (high > 0).sum() < (low > 0).sum()
    assert np.array_equal(high[high > 0], low[high > 0])


def test_folds_rise_towards_the_lumen(tube: Tube) -> None:
    distance = np.min(
        np.linalg.norm(tube.vertices[:, None] - tube.centreline[None, ::2], axis=2), axis=1
    )
    on_crest = tube.folds.region(0.9, crest_mm=3.0) > 0
    assert distance[on_crest].mean() < 0.85 * distance[tube.folds.share < 0.05].mean()
