"""Geometry of one view: what rays meet, normals, occluding edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from train.simulate.camera import Camera
from train.simulate.casters import DEFAULT, open_caster
from train.simulate.compiled import compiled
from train.simulate.hits import Hits
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
    edge_px: int = 3


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
        world = np.einsum("nk,nkc->nc", hits.weights, self._normals[hits.corners])
        normal = world @ pose[:3, :3].astype(np.float32)
        rays = camera.rays().reshape(-1, 3)[hits.pixel].astype(np.float32)
        grazing = np.einsum("nc,nc->n", normal, rays)
        # Interpolated normals can turn away at a silhouette; what is seen faces the camera.
        normal -= np.maximum(grazing, 0)[:, None] * rays
        normal /= np.maximum(np.sqrt(np.einsum("nc,nc->n", normal, normal)), 1e-9)[:, None]
        return np.asarray(normal, np.float32)


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
    edge = np.zeros(distance.shape, dtype=bool)
    for axis in (0, 1):
        one, other = _neighbours(distance, axis)
        jump = np.abs(other - one)
        is_jump = (jump > options.jump_mm) & (jump > options.jump_share * np.minimum(one, other))
        first, second = _neighbours(edge, axis)
        is_first_near = one <= other
        first |= is_jump & is_first_near
        second |= is_jump & ~is_first_near
    return edge & (distance > 0)


def _neighbours(image: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of every pixel and of the next one along an axis."""
    if axis == 0:
        return image[:-1], image[1:]
    return image[:, :-1], image[:, 1:]


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
    band = np.zeros(distance.shape, dtype=bool)
    if not edge.any():
        return band
    candidates = (distance > 0) & _may_reach(distance, camera, edge, options.band_mm)
    if skip is not None:
        candidates &= ~skip
    rays = camera.rays()
    limit = options.band_mm
    seeds = distance[edge][:, None] * rays[edge]
    points = distance[candidates][:, None] * rays[candidates]
    reached = cKDTree(seeds, balanced_tree=False, compact_nodes=False).query(
        points, distance_upper_bound=limit
    )[0]
    band[candidates] = np.isfinite(reached)
    return band


def _may_reach(distance: Depths, camera: Camera, edge: Bools, reach_mm: float) -> Bools:
    """A quick, generous test: pixels so far from every edge in the picture cannot be near in space.

    Points at an angle α are at least distance · sin α apart.
    """
    pixels = np.asarray(cv2.distanceTransform((~edge).view(np.uint8), cv2.DIST_L2, 5))
    angle = np.arcsin(np.clip(reach_mm / np.maximum(distance, 1e-3), 0, 1))
    # The lens is steepest near its axis: 1.3 covers fisheye and wide pinhole borders alike.
    return np.asarray(pixels <= 1.5 + 1.3 * max(camera.fx, camera.fy) * _stretch(camera) * angle)


@lru_cache(maxsize=64)
def _stretch(camera: Camera) -> float:
    """Largest number of pixels per radian, as a share of the focal length."""
    rays = camera.rays()
    sees = camera.sees()
    cosine = float(rays[..., 2][sees].min(initial=1.0))
    return 1.0 / max(cosine, 0.2) ** 2 if camera.model == "pinhole" else 1.0


def widen(edge: Bools, near: Bools, width_px: int) -> Bools:
    """An edge `width_px` wide that grows only into `near` (the near side)."""
    kernel = np.ones((width_px, width_px), np.uint8)
    wide = cv2.dilate(edge.view(np.uint8), kernel).astype(bool)
    return wide & (near | edge)
