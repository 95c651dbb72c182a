"""Geometry of one view: what rays meet, normals, occluding edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.casters import DEFAULT, open_caster
from train.simulate.compiled import bare, compiled
from train.simulate.hits import Hits
from train.simulate.lens import lens_of
from train.simulate.tube import Tube

Depths = NDArray[np.float32]
Bools = NDArray[np.bool_]

_LOST_SHARE = 1e-3
"""More rays than this that meet nothing have left the tube."""


@dataclass(frozen=True, slots=True)
class OcclusionOptions:
    """When a depth jump is the occluding edge of a fold, and how wide its band is."""

    jump_mm: float = 3.0
    jump_share: float = 0.12
    band_mm: float = 3.5
    """Pixels within this distance in space, on the near side, belong to the fold."""
    crest_within_mm: float = 6.0
    """A band this far from every crest is no fold but the wall itself, where the colon bends.
    Infinite on surfaces from CT, where soft folds occlude without a sharp crest."""
    shortest_edge_mm: float = 0.0
    """An edge this short that touches no crest is dropped: the rim of a hole in the wall."""
    edge_px: int = 3

    @classmethod
    def for_scan(cls) -> OcclusionOptions:
        """For surfaces segmented from CT: soft folds, and holes where thin walls were lost."""
        return cls(crest_within_mm=math.inf, shortest_edge_mm=12.0)


class Scene:
    """A tube, ready for rays. It may breathe: its vertices move, its faces stay.

    Raises:
        RecipeError: see `open_caster`.
    """

    def __init__(self, tube: Tube, caster: str = DEFAULT) -> None:
        self._faces = np.ascontiguousarray(tube.faces, dtype=np.int32)
        self._caster = open_caster(caster, tube.vertices, self._faces)
        self._normals = vertex_normals(tube.vertices, self._faces)

    def move(self, vertices: NDArray[np.float64]) -> None:
        """Put the vertices (n, 3) in mm here, and the normals with them."""
        self._caster.move(vertices)
        self._normals = vertex_normals(vertices, self._faces)

    def look(self, pose: NDArray[np.float64], camera: Camera) -> Hits:
        """Cast one ray per pixel the camera sees; `pose` (4, 4) is camera to world."""
        return self._caster.cast(pose, camera)

    def nearest_mm(self, pose: NDArray[np.float64], camera: Camera) -> float:
        """Distance to the nearest wall in view; 0 where the tip is outside the tube."""
        return nearest_mm(self.look(pose, camera), camera)

    def normals(self, hits: Hits, pose: NDArray[np.float64], camera: Camera) -> Depths:
        """(m, 3) unit, camera coordinates, towards the camera."""
        turn = np.ascontiguousarray(pose[:3, :3], np.float32)
        return _normals(hits.corners, hits.weights, self._normals, turn, _seen_by(hits, camera))


def incidence(normal: Depths, hits: Hits, camera: Camera) -> Depths:
    """(m,) cosine of the angle between the line of sight and the normals (m, 3); 1 is face on."""
    return np.asarray(-np.einsum("nc,nc->n", normal, _seen_by(hits, camera)))


def _seen_by(hits: Hits, camera: Camera) -> Depths:
    """(m, 3) the rays of the hits."""
    return np.asarray(lens_of(camera).slim_rays.take(hits.pixel, axis=0))


@compiled
def _normals(
    corners: NDArray[np.int32],
    weights: NDArray[np.float32],
    of_vertex: NDArray[np.float32],
    turn: NDArray[np.float32],
    rays: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(m, 3) unit normals in camera coordinates, at most perpendicular to their rays."""
    normals = np.empty((len(corners), 3), np.float32)
    for i in range(len(corners)):
        a, b, c = of_vertex[corners[i, 0]], of_vertex[corners[i, 1]], of_vertex[corners[i, 2]]
        p, q, r = weights[i, 0], weights[i, 1], weights[i, 2]
        u = p * a[0] + q * b[0] + r * c[0]
        v = p * a[1] + q * b[1] + r * c[1]
        w = p * a[2] + q * b[2] + r * c[2]
        x = u * turn[0, 0] + v * turn[1, 0] + w * turn[2, 0]
        y = u * turn[0, 1] + v * turn[1, 1] + w * turn[2, 1]
        z = u * turn[0, 2] + v * turn[1, 2] + w * turn[2, 2]
        # Interpolated normals can turn away at a silhouette; what is seen faces the camera.
        away = max(x * rays[i, 0] + y * rays[i, 1] + z * rays[i, 2], np.float32(0.0))
        x, y, z = x - away * rays[i, 0], y - away * rays[i, 1], z - away * rays[i, 2]
        scale = np.float32(1.0) / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-9))
        normals[i, 0], normals[i, 1], normals[i, 2] = x * scale, y * scale, z * scale
    return normals


def nearest_mm(hits: Hits, camera: Camera) -> float:
    """Distance to the nearest wall in view; 0 where more than a few rays meet none: outside."""
    if len(hits.pixel) < (1 - _LOST_SHARE) * np.count_nonzero(camera.sees()):
        return 0.0
    return float(hits.distance.min(initial=np.inf))


def vertex_normals(
    vertices: NDArray[np.float64], faces: NDArray[np.integer[Any]]
) -> NDArray[np.float32]:
    """(n, 3) area-weighted, towards the lumen, of vertices (n, 3) and faces (f, 3)."""
    return _vertex_normals(np.ascontiguousarray(vertices), np.ascontiguousarray(faces, np.int32))


@compiled
def _vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    sums = np.zeros(vertices.shape, np.float64)
    for f in range(len(faces)):
        a, b, c = vertices[faces[f, 0]], vertices[faces[f, 1]], vertices[faces[f, 2]]
        x, y, z = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        u, v, w = c[0] - a[0], c[1] - a[1], c[2] - a[2]
        for k in range(3):
            total = sums[faces[f, k]]
            total[0] += y * w - z * v
            total[1] += z * u - x * w
            total[2] += x * v - y * u
    normals = np.empty(vertices.shape, np.float32)
    for n in range(len(vertices)):
        total = sums[n]
        length = np.sqrt(total[0] ** 2 + total[1] ** 2 + total[2] ** 2)
        for axis in range(3):
            normals[n, axis] = total[axis] / max(length, 1e-12)
    return normals


def occluding_edge(distance: Depths, options: OcclusionOptions = OcclusionOptions()) -> Bools:
    """Near side of every depth jump, one pixel wide, (H, W)."""
    edge = np.zeros(distance.shape, np.bool_)
    _mark_jumps(distance, np.float32(options.jump_mm), np.float32(options.jump_share), edge)
    return edge


@bare
def _mark_jumps(distance: Depths, jump_mm: np.float32, share: np.float32, edge: Bools) -> None:
    height, width = distance.shape
    for v in range(height):
        for u in range(width):
            here = distance[v, u]
            for k in range(2):
                # The next pixel to the right, and the next one below.
                down, right = v + k, u + 1 - k
                if down == height or right == width:
                    continue
                there = distance[down, right]
                jump = abs(there - here)
                if jump > jump_mm and jump > share * min(here, there):
                    if here <= there:
                        edge[v, u] |= here > 0
                    else:
                        edge[down, right] |= there > 0


def occluding_band(
    distance: Depths,
    camera: Camera,
    edge: Bools,
    options: OcclusionOptions = OcclusionOptions(),
    skip: Bools | None = None,
) -> Bools:
    """Pixels within `band_mm` in space of an occluding edge, (H, W), except where `skip`.

    What lies behind the edge is farther away than that, so the band stays on the near side.
    """
    lens = lens_of(camera)
    candidates = distance > 0
    if skip is not None:
        candidates &= ~skip
    points = lens.slim_rays.T.reshape(3, *distance.shape) * distance
    band = np.zeros(distance.shape, np.bool_)
    _mark_near(points, distance, edge, (options.band_mm, lens.stretch), band)
    return band & candidates


@bare
def _mark_near(
    points: Depths,
    distance: Depths,
    edge: Bools,
    reach: tuple[float, float],
    band: Bools,
) -> None:
    """Mark every pixel whose point (3, H, W) lies within `reach` mm of one of the edge's.

    Points at an angle α are at least distance · sin α apart, and α covers at most α times the
    second of `reach` pixels: beyond, nobody needs to be asked.
    """
    reach_mm, px_per_rad = reach
    limit = np.float32(reach_mm) ** 2
    height, width = distance.shape
    for row in range(height):
        for column in range(width):
            if not edge[row, column]:
                continue
            far = distance[row, column]
            angle = np.arcsin(reach_mm / far) if far > reach_mm else np.pi
            px = int(np.ceil(px_per_rad * angle)) + 1
            x, y, z = points[0, row, column], points[1, row, column], points[2, row, column]
            first, last = max(column - px, 0), min(column + px + 1, width)
            for v in range(max(row - px, 0), min(row + px + 1, height)):
                xs, ys = points[0, v, first:last], points[1, v, first:last]
                zs, marks = points[2, v, first:last], band[v, first:last]
                for u in range(last - first):  # one instruction for many pixels
                    dx, dy, dz = xs[u] - x, ys[u] - y, zs[u] - z
                    marks[u] |= dx * dx + dy * dy + dz * dz < limit


def widen(edge: Bools, near: Bools, width_px: int) -> Bools:
    """An edge `width_px` wide that grows only into `near` (the near side)."""
    kernel = np.ones((width_px, width_px), np.uint8)
    wide = cv2.dilate(edge.view(np.uint8), kernel).astype(bool)
    return wide & (near | edge)
