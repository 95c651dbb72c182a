"""Geometry of one view by ray casting (Embree): hits, depth, normals, labels, occluding edges."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from train.simulate.camera import Camera
from train.simulate.tube import Tube

Depths = NDArray[np.float32]
Bools = NDArray[np.bool_]


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


@dataclass(frozen=True, slots=True)
class Hits:
    """Where the rays of one view meet the wall: m pixels that see something."""

    shape: tuple[int, int]
    pixel: NDArray[np.int64]
    """(m,) flat indices into `shape`."""
    face: NDArray[np.int32]
    """(m,)."""
    corners: NDArray[np.int32]
    """(m, 3) vertices of the face."""
    weights: NDArray[np.float32]
    """(m, 3) barycentric, of the face's corners."""
    distance: Depths
    """(m,) along the ray, mm."""

    def interpolate(self, of_vertex: NDArray[Any]) -> NDArray[Any]:
        """(m,) of the values (n,) of vertices."""
        return np.asarray(np.einsum("nk,nk->n", self.weights, of_vertex[self.corners]))

    def label(self, of_vertex: NDArray[Any]) -> NDArray[Any]:
        """(m,) of the labels (n,) of vertices: the heaviest one; 0 only where all are 0."""
        labels = of_vertex[self.corners]
        found = labels[:, 0].copy()
        mixed = np.flatnonzero((found != labels[:, 1]) | (found != labels[:, 2]))
        weights = self.weights[mixed] * (labels[mixed] != 0)
        found[mixed] = labels[mixed, np.argmax(weights, axis=1)]
        return found

    def image(self, values: NDArray[Any], fill: Any = 0) -> NDArray[Any]:
        """(m, ...) values as an image (H, W, ...), `fill` where nothing was hit."""
        height, width = self.shape
        image = np.full((height * width, *values.shape[1:]), fill, values.dtype)
        image[self.pixel] = values
        return image.reshape(height, width, *values.shape[1:])


class Scene:
    """A tube, ready for rays."""

    def __init__(self, tube: Tube) -> None:
        self._faces = np.ascontiguousarray(tube.faces, dtype=np.int32)
        self._normals = vertex_normals(tube)
        self._scene = EmbreeScene(robust=True)
        TriangleMesh(self._scene, np.ascontiguousarray(tube.vertices, np.float32), self._faces)

    def look(self, pose: NDArray[np.float64], camera: Camera) -> Hits:
        """Cast one ray per pixel the camera sees; `pose` (4, 4) is camera to world."""
        pixel = np.flatnonzero(camera.sees())
        directions = (camera.rays().reshape(-1, 3)[pixel] @ pose[:3, :3].T).astype(np.float32)
        origins = np.broadcast_to(pose[:3, 3].astype(np.float32), directions.shape)
        hit = self._scene.run(np.ascontiguousarray(origins), directions, output=1)
        found = hit["primID"] >= 0
        if not found.all():
            hit = {key: values[found] for key, values in hit.items()}
            pixel = pixel[found]
        u, v = hit["u"], hit["v"]
        weights = np.stack([1 - u - v, u, v], axis=1)
        face = hit["primID"]
        shape = camera.height, camera.width
        return Hits(shape, pixel, face, self._faces[face], weights, hit["tfar"])

    def nearest_mm(self, pose: NDArray[np.float64], camera: Camera) -> float:
        """Distance to the nearest wall in view; 0 where a ray leaves the tube."""
        hits = self.look(pose, camera)
        if len(hits.pixel) < np.count_nonzero(camera.sees()):
            return 0.0
        return float(hits.distance.min(initial=np.inf))

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


def vertex_normals(tube: Tube) -> NDArray[np.float32]:
    """(n, 3) area-weighted, towards the lumen."""
    a, b, c = (tube.vertices[tube.faces[:, k]] for k in range(3))
    area_normal = np.cross(b - a, c - a)
    normals: NDArray[np.float64] = np.stack(
        [
            np.bincount(
                tube.faces.ravel(),
                weights=np.repeat(area_normal[:, axis], 3),
                minlength=len(tube.vertices),
            )
            for axis in range(3)
        ],
        axis=1,
    )
    length = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return np.asarray(normals / length, np.float32)


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
