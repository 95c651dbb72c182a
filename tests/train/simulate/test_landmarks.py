"""Pouches, by hand on a flat wall."""

import numpy as np
import pytest

from train.simulate.landmarks import Pouch, open_pouch, stalked_polyp

OUTWARD = np.array([0.0, 0.0, 1.0])


@pytest.fixture
def plane() -> np.ndarray:
    """(81, 81, 3) in z = 0, half a millimetre apart."""
    x = (np.arange(81) - 40) * 0.5
    return np.stack([*np.meshgrid(x, x, indexing="ij"), np.zeros((81, 81))], axis=-1)


def test_a_pouch_is_wider_than_its_mouth_and_lies_outside(plane: np.ndarray) -> None:
    open_pouch(plane, OUTWARD, Pouch(40, 40, mouth=2.0, width=3.5, depth=1.0))
    inside = plane[plane[..., 2] > 0.3]
    assert np.hypot(inside[:, 0], inside[:, 1]).max() == pytest.approx(3.5, abs=0.2)
    # A sphere of 3.5 mm, cut off where it is 2 mm wide: 3.5 + √(3.5² - 2²) deep.
    assert plane[40, 40, 2] == pytest.approx(3.5 + np.sqrt(3.5**2 - 2**2))
    assert plane[..., 2].min() == 0.0


def test_a_pouch_has_a_narrow_mouth_in_an_unmoved_wall(plane: np.ndarray) -> None:
    before = plane.copy()
    rows, near = open_pouch(plane, OUTWARD, Pouch(40, 40, mouth=2.0, width=3.5, depth=1.0))
    on_wall = plane[plane[..., 2] < 1e-9]
    assert np.hypot(on_wall[:, 0], on_wall[:, 1]).min() == pytest.approx(2.0, abs=0.35)
    moved = np.zeros((81, 81), bool)
    moved[rows] = near
    assert np.array_equal(plane[~moved], before[~moved])


def test_a_stalked_polyp_stands_on_its_foot() -> None:
    foot = np.array([5.0, 0, 0])
    vertices, faces = stalked_polyp(np.random.default_rng(2), foot, -np.array([1.0, 0, 0]))
    assert faces.max() == len(vertices) - 1
    assert np.linalg.norm(vertices - foot, axis=1).min() < 2.5
    assert vertices[:, 0].min() < 0  # its head is well within the lumen
