"""Haustral folds from a mesh's principal curvature directions.

In a smooth tube the direction of largest curvature runs around the lumen. Across the crest of a
fold the wall is convex towards the lumen, and the direction in which it is most convex is *not*
circumferential: that change of direction marks the fold (Tomasini et al. 2024, section 3.1;
parameters from our own trials, see `docs/science.md`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import igl
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from train.simulate.folds import DivideOptions, divide_crests, fold_height
from train.simulate.tube import Floats, Tube

_REACH_MM = 4.0
"""Beyond the label, the nearest fold is known this far."""


@dataclass(frozen=True, slots=True)
class CrestOptions:
    """When a vertex belongs to the crest of a fold."""

    radius_mm: float = 1.8
    """Neighbourhood of the curvature estimate; wider ones flatten thin crests."""
    circumferential_below: float = 0.7
    """Largest |direction · circumferential| of the most convex direction."""
    convex_above: float = 0.1
    """Smallest curvature towards the lumen, 1/mm."""
    closing_mm: float = 1.0
    """Gaps narrower than twice this are closed: a crest has none."""
    smallest_mm2: float = 25.0
    """Crests smaller than this are dropped."""
    largest_hole_mm2: float = 25.0
    """Holes smaller than this are filled."""
    dilation_mm: float = 1.5
    """The bare crest is thinner than what one sees as the fold."""
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
        )


def vertex_areas(vertices: Floats, faces: NDArray[np.int64]) -> Floats:
    """(n,) mm²: a third of the area of every adjacent triangle."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6.0
    total = np.bincount(faces.ravel(), weights=np.repeat(area, 3), minlength=len(vertices))
    return np.asarray(total, np.float64)


def lumen_frame(tube: Tube) -> tuple[Floats, Floats]:
    """Tangent of the centreline and inward radial direction at each vertex, both (n, 3) unit."""
    tangents = np.gradient(tube.centreline, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    nearest = cKDTree(tube.centreline).query(tube.vertices)[1]
    tangent = tangents[nearest]
    inward = tube.centreline[nearest] - tube.vertices
    inward -= np.sum(inward * tangent, axis=1, keepdims=True) * tangent
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-9)
    return tangent, inward


def convexity(tube: Tube, radius_mm: float) -> tuple[Floats, Floats]:
    """How convex the wall is towards the lumen: curvature (n,) in 1/mm and direction (n, 3).

    The larger of the two principal curvatures, signed so that a bump into the lumen is positive,
    and its direction.
    """
    edges = tube.vertices[tube.faces[:, 0]] - tube.vertices[tube.faces[:, 1]]
    mean_edge = float(np.linalg.norm(edges, axis=1).mean())
    rings = max(2, round(radius_mm / mean_edge))
    first, second, k_first, k_second = igl.principal_curvature(
        np.ascontiguousarray(tube.vertices, np.float64),
        np.ascontiguousarray(tube.faces, np.int64),
        rings,
    )[:4]
    # Faces look into the lumen; the sign convention of the library is that of a sphere with
    # outward faces being positive, so a bump into the lumen comes out positive.
    k_first, k_second = np.ravel(k_first), np.ravel(k_second)
    take_first = k_first >= k_second
    curvature = np.where(take_first, k_first, k_second)
    direction = np.where(take_first[:, None], first, second)
    return np.nan_to_num(curvature), np.nan_to_num(direction)


def components(
    member: NDArray[np.bool_], faces: NDArray[np.int64]
) -> tuple[int, NDArray[np.int64]]:
    """Connected components of a vertex set: their number, and (n,) labels 1.., 0 outside."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = edges[member[edges].all(axis=1)]
    n = len(member)
    graph = coo_matrix((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(n, n))
    _, raw = connected_components(graph, directed=False)
    labels = np.zeros(n, dtype=np.int64)
    names, dense = np.unique(raw[member], return_inverse=True)
    labels[member] = dense + 1
    return len(names), labels


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
    curvature, direction = convexity(tube, options.radius_mm)
    tangent, inward = lumen_frame(tube)
    average = neighbour_average(tube)
    # Directions of single vertices are noisy: judge by the neighbourhood, weighted by curvature.
    weight = np.maximum(curvature, 0)
    across = np.sum(direction * np.cross(tangent, inward), axis=1) ** 2 * weight
    for _ in range(options.direction_rounds):
        across, weight = average @ across, average @ weight
    circumferential = np.sqrt(across / np.maximum(weight, 1e-9))
    allowed = ~_within(tube, tube.is_raised, options.feature_margin_mm) & _away_from_ends(tube)
    convex = curvature > options.convex_above
    crest = convex & (circumferential < options.circumferential_below) & allowed
    crest = _close(tube, crest, options.closing_mm)

    area = vertex_areas(tube.vertices, tube.faces)
    _, labels = components(crest, tube.faces)
    sizes = np.bincount(labels, weights=area)
    crest &= sizes[labels] >= options.smallest_mm2
    _, gaps = components(~crest, tube.faces)
    crest |= (
        np.bincount(gaps, weights=area)[gaps] < options.largest_hole_mm2
    ) & ~tube.is_never_fold
    folds = divide_crests(crest, fold_height(tube), tube.faces, options.divide)
    return _widen(tube, folds, average, options)


def neighbour_average(tube: Tube) -> csr_array:
    """(n, n) matrix that replaces a value by the mean of itself and its neighbours."""
    edges = np.concatenate([tube.faces[:, [0, 1]], tube.faces[:, [1, 2]], tube.faces[:, [2, 0]]])
    rows = np.concatenate([edges[:, 0], edges[:, 1], np.arange(len(tube.vertices))])
    columns = np.concatenate([edges[:, 1], edges[:, 0], np.arange(len(tube.vertices))])
    n = len(tube.vertices)
    counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=(n, n))
    counts.data[:] = 1.0  # an edge belongs to two faces and counts once
    return counts.multiply(1.0 / counts.sum(axis=1)[:, None]).tocsr()


def _widen(
    tube: Tube, folds: NDArray[np.int64], average: csr_array, options: CrestOptions
) -> CrestLabels:
    """Give every vertex its distance to the rim of the widened crest."""
    n = len(folds)
    seeds, others = np.flatnonzero(folds), np.flatnonzero(folds == 0)
    reach = options.dilation_mm + _REACH_MM
    if not len(seeds) or not len(others):
        return CrestLabels(folds, np.where(folds > 0, -reach, reach))
    distance, nearest = cKDTree(tube.vertices[seeds]).query(
        tube.vertices, distance_upper_bound=reach
    )
    near = np.isfinite(distance)
    fold = np.zeros(n, np.int64)
    fold[near] = folds[seeds[nearest[near]]]
    depth = cKDTree(tube.vertices[others]).query(tube.vertices[seeds])[0]
    beyond = np.where(near, distance, reach)
    beyond[seeds] = -depth
    for _ in range(2):
        beyond = average @ beyond
    beyond = np.where(tube.is_never_fold, reach, beyond - options.dilation_mm)
    return CrestLabels(np.where(tube.is_never_fold, 0, fold), beyond)


def _within(tube: Tube, member: NDArray[np.bool_], distance_mm: float) -> NDArray[np.bool_]:
    """(n,): vertices at most `distance_mm` from a member, in space."""
    if distance_mm <= 0 or not member.any():
        return member
    tree = cKDTree(tube.vertices[member])
    return np.asarray(np.isfinite(tree.query(tube.vertices, distance_upper_bound=distance_mm)[0]))


def _close(tube: Tube, member: NDArray[np.bool_], distance_mm: float) -> NDArray[np.bool_]:
    """Morphological closing on the surface's vertices; never onto what is no fold."""
    grown = _within(tube, member, distance_mm)
    closed = member | ~_within(tube, ~grown, distance_mm)
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
