"""Haustral folds from a mesh's principal curvature directions.

In a smooth tube the direction of largest curvature runs around the lumen. Across the crest of a
fold the wall is convex towards the lumen, and the direction in which it is most convex is *not*
circumferential: that change of direction marks the fold (Tomasini et al. 2024, section 3.1;
parameters from our own trials, see `docs/science.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum, minimum
from scipy.spatial import cKDTree

from train.simulate.folds import (
    DivideOptions,
    TubePlace,
    divide_crests,
    fold_height,
    tube_place,
)
from train.simulate.neighbours import Neighbours, components
from train.simulate.principal import principal_curvature
from train.simulate.rays import vertex_normals
from train.simulate.tube import Floats, Tube

_REACH_MM = 4.0
"""Beyond the label, the nearest fold is known this far."""
_BORDER_MM = 0.3
"""The border of a set of vertices lies between them and the next ones."""


@dataclass(frozen=True, slots=True)
class CrestOptions:
    """When a vertex belongs to the crest of a fold."""

    radius_mm: float = 1.8
    """Neighbourhood of the curvature estimate; wider ones flatten thin crests."""
    circumferential_below: float = 0.8
    """Largest |direction · circumferential| of the most convex direction."""
    convex_above: float = 0.1
    """Smallest curvature towards the lumen, 1/mm."""
    closing_mm: float = 1.0
    """Gaps narrower than twice this are closed: a crest has none."""
    smallest_mm2: float = 50.0
    """Crests smaller than this are dropped."""
    shortest_mm: float = 0.0
    """Crests less than this across are dropped: the rims of holes in the wall."""
    largest_hole_mm2: float = 25.0
    """Holes smaller than this are filled."""
    flank_share: float = 0.72
    """The bare crest is thinner than what one sees as the fold: it is widened down its flanks to
    this share of its own height ..."""
    narrowest_mm: float = 0.6
    """... by at least this much ..."""
    widest_mm: float = 3.0
    """... and at most by this, lest it run down into the wall."""
    feature_margin_mm: float = 2.0
    """The rim of a polyp or of a valve is convex too; no crest begins this close to one."""
    direction_rounds: int = 3
    """How often the direction of convexity is averaged with that of the neighbours."""
    divide: DivideOptions = field(default_factory=DivideOptions)

    @classmethod
    def for_scan(cls) -> CrestOptions:
        """For surfaces segmented from CT: edges of 1.4 mm, soft folds, no sharp crests."""
        return cls(
            radius_mm=5.0,
            circumferential_below=0.64,
            convex_above=0.05,
            closing_mm=0.0,
            smallest_mm2=60.0,
            shortest_mm=12.0,
        )


def vertex_areas(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """(n,) mm²: a third of the area of every adjacent triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6.0
    total = np.bincount(faces.ravel(), weights=np.repeat(area, 3), minlength=len(vertices))
    return np.asarray(total, np.float64)


def lumen_frame(tube: Tube, place: TubePlace | None = None) -> tuple[Floats, Floats]:
    """Tangent of the centreline and inward radial direction at each vertex, both (n, 3) unit."""
    tangents = np.gradient(tube.centreline, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    nearest = (place or tube_place(tube)).nearest
    tangent = tangents[nearest]
    inward = tube.centreline[nearest] - tube.vertices
    inward -= np.sum(inward * tangent, axis=1, keepdims=True) * tangent
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    return tangent, inward


def convexity(
    tube: Tube, radius_mm: float, neighbours: Neighbours | None = None
) -> tuple[Floats, Floats]:
    """How convex the wall is towards the lumen: curvature (n,) in 1/mm and direction (n, 3).

    The larger of the two principal curvatures, signed so that a bump into the lumen is positive,
    and its direction.
    """
    edges = tube.vertices[tube.faces[:, 0]] - tube.vertices[tube.faces[:, 1]]
    mean_edge = float(np.linalg.norm(edges, axis=1).mean())
    rings = max(2, round(radius_mm / mean_edge))
    if neighbours is None:
        neighbours = Neighbours.of(tube.faces, len(tube.vertices))
    normals = vertex_normals(tube.vertices, tube.faces)
    return principal_curvature(tube.vertices, normals, neighbours, rings)


@dataclass(frozen=True, slots=True)
class CrestLabels:
    """Where the crests of folds are on a mesh."""

    fold: NDArray[np.int64]
    """(n,) fold of the nearest crest, 1, 2, ...; 0 where none is near."""
    beyond_mm: Floats
    """(n,) distance to the rim of the label, negative inside. Smooth, so that a label's border
    runs straight between vertices."""

    @property
    def inside(self) -> NDArray[np.int64]:
        """(n,) fold of every vertex within the label, 0 outside."""
        return np.where(self.beyond_mm < 0, self.fold, 0)


def label_crests(tube: Tube, options: CrestOptions = CrestOptions()) -> CrestLabels:
    """Find the crests, divide them into folds, and widen them to what one sees as the fold."""
    neighbours = Neighbours.of(tube.faces, len(tube.vertices))
    curvature, direction = convexity(tube, options.radius_mm, neighbours)
    place = tube_place(tube)
    tangent, inward = lumen_frame(tube, place)
    # Directions of single vertices are noisy: judge by the neighbourhood, weighted by curvature.
    weight = np.maximum(curvature, 0)
    across = np.sum(direction * np.cross(tangent, inward), axis=1) ** 2 * weight
    for _ in range(options.direction_rounds):
        across, weight = neighbours.averaged(across), neighbours.averaged(weight)
    circumferential = np.sqrt(across / np.maximum(weight, 1e-9))
    convex = curvature > options.convex_above
    crest = convex & (circumferential < options.circumferential_below) & _away_from_ends(tube)
    crest &= ~_within(tube, tube.is_raised, options.feature_margin_mm, crest)
    crest = _close(tube, crest, options.closing_mm)

    area = vertex_areas(tube.vertices, tube.faces)
    _, labels = components(crest, tube.faces)
    sizes = np.bincount(labels, weights=area)
    crest &= sizes[labels] >= options.smallest_mm2
    crest &= _extents(tube.vertices, labels)[labels] >= options.shortest_mm
    _, gaps = components(~crest, tube.faces)
    crest |= (
        np.bincount(gaps, weights=area)[gaps] < options.largest_hole_mm2
    ) & ~tube.is_never_fold
    height = fold_height(tube, place)
    folds = divide_crests(crest, height, tube.faces, options.divide)
    return _widen(tube, folds, height, neighbours, options)


def _extents(vertices: Floats, labels: NDArray[np.int64]) -> Floats:
    """(k,) mm: how large the box around each component is, from corner to corner."""
    index = np.arange(int(labels.max(initial=0)) + 1)
    sides = [maximum(axis, labels, index) - minimum(axis, labels, index) for axis in vertices.T]
    return np.asarray(np.linalg.norm(sides, axis=0))


def _widen(
    tube: Tube,
    folds: NDArray[np.int64],
    height: Floats,
    neighbours: Neighbours,
    options: CrestOptions,
) -> CrestLabels:
    """Give every vertex its distance to the rim of the widened crest."""
    n = len(folds)
    seeds = np.flatnonzero(folds)
    reach = options.widest_mm + _REACH_MM
    if len(seeds) in (0, n):
        return CrestLabels(folds, np.where(folds > 0, -reach, reach))
    gap, nearest = _tree(tube.vertices[seeds]).query(tube.vertices, distance_upper_bound=reach)
    near = np.isfinite(gap)
    fold, crest_height = np.zeros(n, np.int64), np.full(n, np.inf)
    fold[near] = folds[seeds[nearest[near]]]
    crest_height[near] = height[seeds[nearest[near]]]
    is_flank = (gap <= options.widest_mm) & (height >= options.flank_share * crest_height)
    member = (folds > 0) | ((is_flank | (gap <= options.narrowest_mm)) & ~tube.is_never_fold)
    gap = np.where(near, _signed_gap(tube, member, neighbours, near), reach)
    beyond = neighbours.averaged(neighbours.averaged(gap))
    beyond = np.where(tube.is_never_fold, reach, beyond - _BORDER_MM)
    return CrestLabels(np.where(tube.is_never_fold, 0, fold), beyond)


def _signed_gap(
    tube: Tube, member: NDArray[np.bool_], neighbours: Neighbours, asked: NDArray[np.bool_]
) -> Floats:
    """(n,) mm to the nearest member where `asked`, else 0; of members, below 0, to the rim."""
    inside, outside = tube.vertices[member], asked & ~member
    gap = np.zeros(len(member))
    gap[outside] = _tree(inside).query(tube.vertices[outside])[0]
    rim = _rim(member, neighbours)
    if rim.any():
        gap[member] = -_tree(tube.vertices[rim]).query(inside)[0]
    return gap


def _rim(member: NDArray[np.bool_], neighbours: Neighbours) -> NDArray[np.bool_]:
    """(n,): outside the set, with a neighbour inside."""
    return ~member & (neighbours.averaged(member.astype(np.float64)) > 0)


def _tree(points: Floats) -> cKDTree:
    """Quickly built."""
    return cKDTree(points, balanced_tree=False, compact_nodes=False)


def _within(
    tube: Tube, member: NDArray[np.bool_], distance_mm: float, asked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,): members, and those `asked` about that are at most `distance_mm` from one, in space."""
    if distance_mm <= 0 or not member.any():
        return member
    within, rest = member.copy(), np.flatnonzero(asked & ~member)
    gap = _tree(tube.vertices[member]).query(tube.vertices[rest], distance_upper_bound=distance_mm)[
        0
    ]
    within[rest] = np.isfinite(gap)
    return within


def _close(tube: Tube, member: NDArray[np.bool_], distance_mm: float) -> NDArray[np.bool_]:
    """Morphological closing on the surface's vertices; never onto what is no fold."""
    grown = _within(tube, member, distance_mm, np.ones_like(member))
    closed = member | ~_within(tube, ~grown, distance_mm, grown & ~member)
    return np.asarray(closed & ~tube.is_never_fold)


def _away_from_ends(tube: Tube, margin_mm: float = 15.0) -> NDArray[np.bool_]:
    """(n,): not on the artificial caps at the two ends of the centreline."""
    ends = tube.centreline[[0, -1]]
    outward = np.stack(
        [tube.centreline[0] - tube.centreline[3], tube.centreline[-1] - tube.centreline[-4]]
    )
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    beyond = np.stack(
        [
            (np.sum((tube.vertices - end) * out, axis=1) > -margin_mm)
            & (np.linalg.norm(tube.vertices - end, axis=1) < 40.0)
            for end, out in zip(ends, outward, strict=True)
        ]
    )
    return np.asarray(~beyond.any(axis=0))
