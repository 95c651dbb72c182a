"""Pools in a sagging hose."""

import numpy as np
import pytest

from train.simulate.pools import draw_up, fill_pool

UP = np.array([0.0, 0.0, 1.0])


@pytest.fixture
def hose() -> tuple[np.ndarray, np.ndarray]:
    """Grid (200, 48, 3) and centreline of a hose of 20 mm radius that sags in its middle."""
    x = np.arange(200.0)
    centre = np.stack([x, np.zeros(200), 0.002 * (x - 100) ** 2], axis=1)
    theta = np.arange(48) * 2 * np.pi / 48
    ring = 20 * np.stack([np.zeros(48), np.cos(theta), np.sin(theta)], axis=1)
    return centre[:, None] + ring, centre


def test_a_pool_is_flat_and_below_the_centreline(hose: tuple[np.ndarray, np.ndarray]) -> None:
    grid, centre = hose
    filled = fill_pool(grid, centre, UP, np.random.default_rng(3))
    assert filled is not None
    rows, wet = filled
    surface = grid[rows][wet]
    assert np.ptp(surface[:, 2]) < 1e-9
    assert -20 < surface[0, 2] < centre[rows, 2].min()


def test_a_pool_lies_in_the_lowest_place_and_leaves_the_rest_dry(
    hose: tuple[np.ndarray, np.ndarray],
) -> None:
    grid, centre = hose
    before = grid.copy()
    filled = fill_pool(grid, centre, UP, np.random.default_rng(3))
    assert filled is not None
    rows, wet = filled
    assert rows.start < 100 < rows.stop
    level = grid[rows][wet][0, 2]
    assert grid[..., 2].min() == pytest.approx(level)  # nothing stays below
    changed = np.any(grid != before, axis=-1)
    assert np.array_equal(np.argwhere(changed[rows]), np.argwhere(wet))
    assert not changed[: rows.start].any()


def test_no_pool_stays_in_an_upright_hose(hose: tuple[np.ndarray, np.ndarray]) -> None:
    grid, centre = hose
    before = grid.copy()
    assert fill_pool(grid, centre, np.array([1.0, 0, 0]), np.random.default_rng(3)) is None
    assert np.array_equal(grid, before)


def test_up_is_a_direction() -> None:
    assert np.linalg.norm(draw_up(np.random.default_rng(1))) == pytest.approx(1.0)
