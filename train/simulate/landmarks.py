"""What stands out of the wall or opens in it and is no fold.

Polyps, sessile and on stalks; ridges along the colon; the ileocaecal valve with its two lips; the
orifice of the appendix; diverticula. A network must learn what is *not* a fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray

from train.simulate.tube import Bools, Feature, Floats, Segment
from train.simulate.wall import FoldField, FoldShape, Wall, add_fold

_WIDEST_MOUTH_MM = 2.8
"""Of diverticula."""
_RIM = 2.2
"""Radii of the mouth to where the wall is as it was."""


class Relief:
    """Height (S, Θ) mm above wall and folds, and what each place is."""

    def __init__(self, wall: Wall) -> None:
        self.height = np.zeros((len(wall.s), len(wall.theta)))
        self.feature = np.zeros(self.height.shape, np.uint8)

    def add(self, rows: slice, height: Floats, feature: Feature, where: Bools) -> None:
        """Raise rows to `height` (rows, Θ); `where` of the same shape is `feature`."""
        np.maximum(self.height[rows], height, out=self.height[rows])
        np.copyto(self.feature[rows], np.uint8(feature), where=where)


def _around(wall: Wall, place: float, middle: float, reach: float) -> tuple[slice, Floats, Floats]:
    """Rows near a place, and mm along (rows, 1) and around (1, Θ) from it."""
    rows = wall.rows_near(place, reach)
    radius = float(wall.radius[wall.row_of(place)])
    return rows, (wall.s[rows] - place)[:, None], (wall.angle_from(middle) * radius)[None, :]


def add_polyp(wall: Wall, relief: Relief, folds: FoldField, rng: np.random.Generator) -> None:
    """A sessile polyp anywhere: a dome, flat or hemispherical."""
    place = float(wall.s[0]) + rng.uniform(0.1, 0.9) * float(wall.s[-1] - wall.s[0])
    size, tall, power = rng.uniform(2.0, 8.0), rng.uniform(1.0, 6.0), rng.uniform(0.7, 1.3)
    rows, along, around = _around(wall, place, rng.uniform(0, 2 * np.pi), 1.2 * size)
    across = np.hypot(along, around) / size
    dome = np.sqrt(np.clip(1 - across**2, 0, None)) ** power
    height = min(tall, size) * dome
    relief.add(rows, height, Feature.POLYP, (across < 1.12) & (height > folds.height[rows]))


def add_ridge(wall: Wall, relief: Relief, rng: np.random.Generator) -> None:
    """Along the colon rather than around it: convex, yet no haustral fold."""
    place = rng.uniform(float(wall.s[0]), float(wall.s[-1]))
    slope, long = rng.uniform(-0.4, 0.4), rng.uniform(10, 35)
    rows, along, around = _around(wall, place, rng.uniform(0, 2 * np.pi), 1.6 * long)
    across = (around - slope * along) / rng.uniform(1.0, 2.2)
    ridge = rng.uniform(0.5, 2.0) * np.exp(-(across**2) - (along / long) ** 4)
    np.maximum(relief.height[rows], ridge, out=relief.height[rows])


def add_valve(wall: Wall, relief: Relief, folds: FoldField, rng: np.random.Generator) -> None:
    """The ileocaecal valve: two lips on the fold between ascending colon and caecum.

    Long thin lips make it labial, short thick ones papillary.
    """
    place = wall.profile.span(Segment.CAECUM).first_mm + rng.uniform(-4, 4)
    if not wall.s[0] + 30 < place < wall.s[-1] - 25:
        return
    row = wall.row_of(place)
    middle = wall.middle(row, int(rng.integers(3))) + rng.normal(0, 0.2)
    long, gap, thick = rng.uniform(8, 15), rng.uniform(2.6, 4.2), rng.uniform(2.0, 3.2)
    tall = rng.uniform(5.0, 9.0)
    # Its frenula run on around the lumen as a fold.
    frenula = FoldShape(place, middle, rng.uniform(3.5, 6.0), 4.5, rng.uniform(0.4, 0.55) * np.pi)
    add_fold(wall, folds, rng, frenula)
    rows, along, around = _around(wall, place, middle, 4 * (gap + thick))
    bow = along + 0.012 * around**2 * np.sign(along)  # the lips meet at both ends
    lips = np.exp(-(((np.abs(bow) - gap) / thick) ** 2))
    lips = lips * np.sqrt(np.clip(1 - (around / long) ** 2, 0, 1))
    mound = 0.5 * np.exp(-((along / (2.2 * gap)) ** 2) - (around / (1.1 * long)) ** 2)
    height = tall * np.maximum(lips, mound)
    relief.add(rows, height, Feature.VALVE, height > 0.8)


def add_caecal_crescent(wall: Wall, relief: Relief, rng: np.random.Generator) -> None:
    """A crescent beside the orifice of the appendix, low and no haustral fold."""
    rows = wall.rows_near(float(wall.s[-1]), 0.7 * float(wall.radius[-1]))
    from_pole = (wall.radius * wall.closed)[rows, None]
    angle = wall.angle_from(rng.uniform(0, 2 * np.pi))[None, :]
    around = np.clip(1 - (angle / rng.uniform(1.2, 2.2)) ** 2, 0, None)
    ring = np.exp(-(((from_pole - rng.uniform(8, 12)) / rng.uniform(1.8, 2.6)) ** 2))
    crescent = rng.uniform(1.5, 3.5) * ring * around
    np.maximum(relief.height[rows], crescent, out=relief.height[rows])


@dataclass(frozen=True, slots=True)
class Pouch:
    """A bulge outwards behind a narrow mouth. Lengths in mm."""

    row: int
    column: int
    mouth: float
    """Radius."""
    width: float
    """Radius of the widest place."""
    depth: float
    """Of its own width."""
    feature: Feature = Feature.DIVERTICULUM


def place_diverticula(
    wall: Wall, relief: Relief, folds: FoldField, beside: Floats, rng: np.random.Generator
) -> list[Pouch]:
    """Diverticula on bare wall beside the taeniae, as many as each segment has.

    Args:
        wall: where.
        relief: takes note of their middles.
        folds: none of these is pierced.
        beside: (S,) mm, half of the way to the next loop of bowel, which none reaches.
        rng: all choices.
    """
    found: list[Pouch] = []
    density = wall.profile.of("diverticula", wall.s) / 100.0 * np.gradient(wall.s)
    density[(wall.s < wall.s[0] + 30) | (wall.s > wall.s[-1] - 30)] = 0.0
    for row in np.flatnonzero(rng.random(len(wall.s)) < density):
        mouth = rng.uniform(1.4, _WIDEST_MOUTH_MM)
        width = mouth * rng.uniform(1.2, 1.9)
        if beside[row] < 1.1 * wall.radius[row] + 3 * width:
            continue
        # Neither a fold nor the rim of another pouch lies within its own.
        near = wall.rows_near(float(wall.s[row]), _RIM * (mouth + _WIDEST_MOUTH_MM))
        circumference = 2 * np.pi * wall.radius[row]
        reach = round(_RIM * (mouth + _WIDEST_MOUTH_MM) / circumference * len(wall.theta))
        for _ in range(6):
            side = rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.7)
            angle = wall.taenia[row] + 2 * np.pi / 3 * rng.integers(3) + side
            column = round(angle / (2 * np.pi) * len(wall.theta)) % len(wall.theta)
            columns = np.arange(column - reach, column + reach + 1) % len(wall.theta)
            is_taken = relief.feature[near][:, columns].any()
            inner = wall.rows_near(float(wall.s[row]), _RIM * mouth)
            half = columns[reach // 2 : -(reach // 2) or None]
            if folds.height[inner][:, half].max() < 1.0 and not is_taken:
                relief.feature[row, column] = Feature.DIVERTICULUM
                found.append(Pouch(int(row), column, mouth, width, 1.3))
                break
    return found


def open_pouch(grid: Floats, outward: Floats, pouch: Pouch) -> tuple[slice, Bools]:
    """Push the wall around one vertex of the grid (S, Θ, 3) out into a pouch, in place.

    What was near its middle lines the pouch; what was around that is drawn in to its mouth.

    Args:
        grid: changed.
        outward: (3,) unit, away from the lumen.
        pouch: where and how wide; nothing else of the grid moves.

    Returns:
        the rows looked at, and which of their vertices (rows, Θ) belong to pouch or rim.
    """
    reach = _RIM * pouch.mouth
    middle = grid[pouch.row, pouch.column].copy()
    spacing = np.linalg.norm(grid[1:, pouch.column] - grid[:-1, pouch.column], axis=1)
    rows = _rows_within(spacing, pouch.row, reach)
    offset = grid[rows] - middle
    depth = offset @ outward
    aside = offset - depth[..., None] * outward
    across = np.linalg.norm(aside, axis=-1)
    near = (across < reach) & (np.linalg.norm(offset, axis=-1) < 1.6 * reach)
    if not near.any():
        return rows, near
    direction = aside[near] / np.maximum(across[near], 1e-9)[:, None]
    share = across[near] / reach
    lining = 0.75
    # Lining: a sphere that is cut off at the mouth. Rim: the wall between mouth and reach.
    cut = np.arcsin(min(1.0, pouch.mouth / pouch.width))
    turn = cut + (np.pi - cut) * np.clip(1 - share / lining, 0, 1)
    radial = np.where(share < lining, pouch.width * np.sin(turn), 0.0)
    out = np.where(share < lining, pouch.depth * pouch.width * (np.cos(cut) - np.cos(turn)), 0.0)
    drawn = pouch.mouth + (reach - pouch.mouth) * (share - lining) / (1 - lining)
    is_rim = share >= lining
    radial[is_rim] = drawn[is_rim]
    flatness = np.where(is_rim, (drawn / np.maximum(across[near], 1e-9)) ** 2, 0.0)
    rim_depth = depth[near] * np.where(is_rim, np.minimum(flatness, 1.0), 0.0)
    moved = middle + direction * radial[:, None] + (out + rim_depth)[:, None] * outward
    grid[rows][near] = moved
    return rows, near


def _rows_within(spacing: Floats, row: int, reach: float) -> slice:
    """Rows that may lie within `reach` mm of a row; `spacing` (S-1,) mm between rows."""
    place = np.concatenate([[0.0], np.cumsum(np.maximum(spacing, 0.05))])
    first, last = np.searchsorted(place, [place[row] - 2 * reach, place[row] + 2 * reach])
    return slice(int(first), int(last))


def stalked_polyp(
    rng: np.random.Generator, foot: Floats, inward: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """A head on a stalk: vertices (n, 3) mm and faces, standing at `foot` along `inward`."""
    head, stalk = rng.uniform(2.5, 6.0), rng.uniform(3.0, 8.0)
    lean = inward + rng.normal(0, 0.35, 3)
    lean /= np.linalg.norm(lean)
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=head)
    direction = sphere.vertices / head
    lobes = sum(np.sin(direction @ rng.normal(0, 3, 3) + rng.uniform(0, 6)) for _ in range(4))
    top = sphere.vertices * (1 + 0.06 * lobes)[:, None] + foot + lean * (stalk + 0.7 * head)
    stem = trimesh.creation.cylinder(
        radius=rng.uniform(0.8, 1.6), segment=[foot - lean, foot + lean * (stalk + 0.4 * head)]
    )
    vertices = np.concatenate([top, stem.vertices])
    faces = np.concatenate([sphere.faces, stem.faces + len(top)])
    return vertices, faces.astype(np.int64)
