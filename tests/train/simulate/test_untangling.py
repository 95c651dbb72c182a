"""Hairpins of tube whose legs a hole joins, as voxels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from train.simulate.cavity import Cavity, longest_path, missed_share
from train.simulate.centreline import space_evenly
from train.simulate.untangling import untangle

RADIUS_MM, PITCH_MM = 14.0, 2.0


def _cavity(lines: list[np.ndarray], radii: list[float]) -> Cavity:
    """All that is nearer to a line (k, 3) mm than its radius."""
    shape = (66, 24, 96)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1) * PITCH_MM
    inside = np.zeros(shape, bool)
    for line, radius in zip(lines, radii, strict=True):
        inside |= (cKDTree(space_evenly(line, 1.0)).query(places)[0]) < radius
    depth = distance_transform_edt(inside) * PITCH_MM
    return Cavity("hairpin", inside, depth, np.zeros(3), PITCH_MM)


def _hairpin() -> np.ndarray:
    """(k, 3) mm: up one leg, half a circle, down the other."""
    turn = np.linspace(0, np.pi, 20)[1:-1]
    arc = np.stack([66 - 32 * np.cos(turn), 0 * turn + 24, 130 + 32 * np.sin(turn)], 1)
    up, down = ([[x, 24, z] for z in np.linspace(25, 130, 10)] for x in (34.0, 98.0))
    return np.concatenate([up, arc, down[::-1]])


HOLE = np.array([[34.0, 24, 45], [50.0, 24, 45], [70.0, 24, 45], [98.0, 24, 45]])


@pytest.fixture(scope="module")
def joined() -> Cavity:
    return _cavity([_hairpin(), HOLE], [RADIUS_MM, 5.0])


def test_the_longest_way_through_a_hairpin_takes_the_hole(joined: Cavity) -> None:
    assert missed_share(joined, longest_path(joined)) > 0.2


def test_the_way_through_its_stretches_does_not(joined: Cavity) -> None:
    path = min(untangle(joined), key=lambda each: missed_share(joined, each))
    assert missed_share(joined, path) < 0.01
    # Both legs and the turn, less about a radius at either end.
    assert joined.length_mm(path) == pytest.approx(2 * 105 + np.pi * 32, rel=0.1)
    assert cKDTree(_hairpin()).query(joined.place(path))[0].max() < 9.0


def test_a_path_is_one_step_after_the_other(joined: Cavity) -> None:
    for path in untangle(joined):
        assert np.abs(np.diff(path, axis=0)).max() == 1


def test_a_narrow_place_joins_what_lies_behind_it() -> None:
    line = _hairpin()
    middle = len(line) // 2
    cavity = _cavity(
        [line[: middle - 3], line[middle + 3 :], line[middle - 5 : middle + 5], HOLE],
        [RADIUS_MM, RADIUS_MM, 4.0, 4.0],
    )
    assert min(missed_share(cavity, path) for path in untangle(cavity)) < 0.01


def test_there_is_no_way_through_what_is_no_tube() -> None:
    plate = np.zeros((66, 24, 96), bool)
    plate[2:-2, 6:18, 2:-2] = True
    depth = distance_transform_edt(plate) * PITCH_MM
    assert list(untangle(Cavity("plate", plate, depth, np.zeros(3), PITCH_MM))) == []
