"""Residual fluid: pools with a flat surface in the lowest places of the colon.

A pool keeps the grid of the wall: what lies below its level is raised to it, so that the surface
stays closed and the sheet is a part of it.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from train.simulate.tube import Bools, Floats

_LONGEST_MM = 110.0
_CLEAR = 0.35
"""Of the radius, from a pool's surface up to the centreline: the endoscope stays dry."""


def draw_up(rng: np.random.Generator) -> Floats:
    """(3,) unit, away from the ground: the patient on the left side, or on the back."""
    up = np.array([-1.0, 0, 0]) if rng.random() < 0.6 else np.array([0, 1.0, 0])
    up = up + rng.normal(0, 0.2, 3)
    return np.asarray(up / np.linalg.norm(up))


def fill_pool(
    grid: Floats, centre: Floats, up: Floats, rng: np.random.Generator
) -> tuple[slice, Bools] | None:
    """Fill the low place nearest to a random one, in place.

    Args:
        grid: (S, Θ, 3) mm, changed.
        centre: (S, 3) mm, the centreline at every row.
        up: (3,) unit.
        rng: place and depth.

    Returns:
        rows and which of their vertices (rows, Θ) are surface; None where no pool stays.
    """
    height = grid @ up
    floor, axis = height.min(axis=1), centre @ up
    step = max(float(np.median(np.linalg.norm(np.diff(centre, axis=0), axis=1))), 0.1)
    smooth = gaussian_filter1d(floor, 12.0 / step, mode="nearest")
    seed = _lowest_near(smooth, int(rng.integers(len(floor) // 10, len(floor) * 9 // 10)))
    depth = rng.uniform(0.25, 0.75) * float(axis[seed] - floor[seed])
    for _ in range(6):
        level = float(smooth[seed]) + depth
        rows = _basin(smooth, floor, seed, level)
        dry = axis[rows] - level > _CLEAR * (axis[rows] - floor[rows])
        if (rows.stop - rows.start) * step < _LONGEST_MM and dry.all():
            wet = height[rows] < level
            grid[rows] += np.where(wet, level - height[rows], 0.0)[..., None] * up
            return rows, wet
        depth *= 0.65
    return None


def _lowest_near(smooth: Floats, row: int) -> int:
    """Downhill from a row."""
    while True:
        around = smooth[max(row - 1, 0) : row + 2]
        lower = max(row - 1, 0) + int(np.argmin(around))
        if lower == row:
            return row
        row = lower


def _basin(smooth: Floats, floor: Floats, seed: int, level: float) -> slice:
    """Rows around `seed` up to where even the lowest place of a row stays dry on both sides."""
    is_bank = (smooth > level) & (floor > level)
    below, above = np.flatnonzero(is_bank[:seed]), np.flatnonzero(is_bank[seed:])
    first = int(below[-1]) + 1 if len(below) else 0
    last = seed + int(above[0]) if len(above) else len(floor)
    return slice(first, last)
