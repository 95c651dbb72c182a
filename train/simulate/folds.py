"""From crest to folds: which vertices belong to one fold.

A haustral fold is one connected crest. Folds of neighbouring sectors often run into each other
at a taenia; there the crest dips. So crests are divided as landscapes are: by the watersheds of
their height, unless the pass between two tops is nearly as high as the lower one.

A fold that a taenia cuts down to the wall has two separate crests and is two folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.spatial import cKDTree

from train.simulate.tube import Floats, Tube


@dataclass(frozen=True, slots=True)
class DivideOptions:
    """When two tops of one crest are two folds."""

    pass_share: float = 0.75
    """Two tops stay one fold if the pass between them has this share of the lower top."""
    smallest_drop_mm: float = 0.6
    """A pass less deep than this divides nothing."""


@dataclass(frozen=True, slots=True)
class TubePlace:
    """Where the vertices lie with respect to the centreline, all (n,)."""

    along_mm: Floats
    """Arc length of the nearest point of the centreline."""
    angle: Floats
    """Around it, -π..π from a direction that is carried along without twist."""
    distance_mm: Floats
    """From the centreline, across it."""
    nearest: NDArray[np.int64]
    """The point of the centreline that is nearest."""


def tube_place(tube: Tube, points: Floats | None = None) -> TubePlace:
    """Cylinder coordinates of `points` (n, 3), the tube's own vertices unless given."""
    points = tube.vertices if points is None else points
    line = tube.centreline
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    tangent, u, v = carried_frames(line)
    nearest = cKDTree(line).query(points)[1]
    offset = points - line[nearest]
    along = np.sum(offset * tangent[nearest], axis=1)
    across = offset - along[:, None] * tangent[nearest]
    x, y = np.sum(across * u[nearest], axis=1), np.sum(across * v[nearest], axis=1)
    spacing = steps.mean()
    return TubePlace(
        np.clip(arc[nearest] + np.clip(along, -spacing, spacing), 0, arc[-1]),
        np.arctan2(y, x),
        np.hypot(x, y),
        nearest,
    )


def carried_frames(line: Floats) -> tuple[Floats, Floats, Floats]:
    """Tangent and two directions across it at each point of a line, (k, 3) each, without twist."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    u = carried_across(tangent)
    return tangent, u, np.cross(tangent, u)


def carried_across(tangent: Floats, start: Floats | None = None) -> Floats:
    """A direction across each tangent (k, 3) that turns as little as possible along the path.

    It begins as `start` (3,) as far as that lies across, or as the axis that does so best.
    """
    across = np.empty_like(tangent)
    carried = np.eye(3)[np.argmin(np.abs(tangent[0]))] if start is None else start
    for i, t in enumerate(tangent):
        carried = carried - (carried @ t) * t
        carried /= np.linalg.norm(carried)
        across[i] = carried
    return across


def fold_height(tube: Tube, place: TubePlace | None = None, reach_mm: float = 7.0) -> Floats:
    """How far each vertex stands out from the wall around it, (n,) mm.

    The wall is the farthest point from the centreline among those at the same angle and at most
    `reach_mm` away along it, smoothed.
    """
    place = place or tube_place(tube)
    rows = (place.along_mm / 1.5).astype(int)
    columns = ((place.angle + np.pi) / (2 * np.pi) * 36).astype(int) % 36
    wall = np.zeros((rows.max() + 1, 36))
    np.maximum.at(wall, (rows, columns), place.distance_mm)
    reach = 2 * round(reach_mm / 1.5) + 1
    wall = maximum_filter1d(wall, reach, axis=0, mode="nearest")
    wall = gaussian_filter1d(gaussian_filter1d(wall, 3.0, axis=0, mode="nearest"), 1.0, mode="wrap")
    return np.asarray(np.maximum(wall[rows, columns] - place.distance_mm, 0.0))


def divide_crests(
    crest: NDArray[np.bool_],
    height: Floats,
    faces: NDArray[np.int64],
    options: DivideOptions = DivideOptions(),
) -> NDArray[np.int64]:
    """Fold number (n,) of every crest vertex: 1, 2, ..., 0 outside the crest.

    Vertices are taken from the highest down. One without neighbours begins a top; one between
    two tops is the pass between them, and joins them unless it is too low.
    """
    order = np.flatnonzero(crest)
    order = order[np.argsort(-height[order], kind="stable")]
    rank = np.full(len(crest), -1, np.int64)
    rank[order] = np.arange(len(order))
    starts, neighbours = _neighbours(rank, faces, len(order))
    levels = height[order].tolist()
    parent, top = list(range(len(order))), levels.copy()
    owner = [0] * len(order)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, level in enumerate(levels):
        around = {root(owner[j]) for j in neighbours[starts[i] : starts[i + 1]] if j < i}
        ranked = sorted(around, key=lambda basin: (-top[basin], basin))
        owner[i] = ranked[0] if ranked else i
        for basin in ranked[1:]:
            lower = top[basin]
            is_pass_high = level >= options.pass_share * lower
            if is_pass_high or lower - level < options.smallest_drop_mm:
                parent[basin] = ranked[0]
    roots = np.array([root(basin) for basin in owner], np.int64)
    numbers = np.zeros(len(crest), np.int64)
    if len(order):
        numbers[order] = np.unique(roots, return_inverse=True)[1] + 1
    return numbers


def _neighbours(
    rank: NDArray[np.int64], faces: NDArray[np.int64], count: int
) -> tuple[list[int], list[int]]:
    """Neighbours within the crest by rank, as row starts and a flat list."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = rank[edges]
    edges = edges[(edges >= 0).all(axis=1)]
    edges = np.concatenate([edges, edges[:, ::-1]])
    edges = edges[np.argsort(edges[:, 0], kind="stable")]
    starts = np.searchsorted(edges[:, 0], np.arange(count + 1))
    return starts.tolist(), edges[:, 1].tolist()
