"""Geometry of one view by ray casting (Embree): hits, depth, normals, labels, occluding edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from train.simulate.anatomy import Tube


@dataclass(frozen=True, slots=True)
class OcclusionOptions:
    """When a depth jump is the occluding edge of a fold, and how wide its band is."""

    jump_mm: float = 3.0
    jump_share: float = 0.12
    band_mm: float = 3.5
    """Pixels within this distance in space, on the near side, belong to the fold."""
    edge_px: int = 3


@dataclass(frozen=True, slots=True)
class View:
    """What rays from one pose hit; arrays are (H, W)."""

    distance: NDArray[np.float32]
    """Along the ray, mm; 0 where nothing was hit."""
    normal: NDArray[np.float32]
    """(H, W, 3) unit, camera coordinates, towards the camera."""
    crest: NDArray[np.uint16]
    """Fold instance by curvature, 0 for none."""
    polyp: NDArray[np.bool_]
    face: NDArray[np.int32]
    """Face that was hit, -1 for none."""


class Scene:
    """A labelled tube, ready for rays."""

    def __init__(self, tube: Tube, crest: NDArray[np.int64]) -> None:
        self._faces = np.ascontiguousarray(tube.faces, dtype=np.int32)
        self._crest = crest.astype(np.uint16)
        self._polyp = tube.is_polyp
        self._normals = _vertex_normals(tube)
        self._scene = EmbreeScene(robust=True)
        TriangleMesh(self._scene, np.ascontiguousarray(tube.vertices, np.float32), self._faces)

    def look(self, pose: NDArray[np.float64], rays: NDArray[np.float64]) -> View:
        """Cast one ray per pixel.

        Args:
            pose: (4, 4) camera to world.
            rays: (H, W, 3) unit directions in camera coordinates.
        """
        height, width = rays.shape[:2]
        rotation = pose[:3, :3]
        directions = np.ascontiguousarray((rays.reshape(-1, 3) @ rotation.T).astype(np.float32))
        origins = np.ascontiguousarray(np.tile(pose[:3, 3].astype(np.float32), (height * width, 1)))
        hit = self._scene.run(origins, directions, output=1)
        face = hit["primID"]
        found = face >= 0
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], axis=1)
        corners = self._faces[face]
        nearest = corners[np.arange(len(face)), np.argmax(weights, axis=1)]
        # A label holds where most of the weight says so: straight borders, no saw teeth.
        labelled = self._crest[corners] > 0
        on_crest = np.sum(weights * labelled, axis=1) > 0.5
        heaviest = np.argmax(weights * labelled, axis=1)
        crest = np.where(on_crest, self._crest[corners[np.arange(len(face)), heaviest]], 0)

        normal = np.einsum("nk,nkc->nc", weights, self._normals[corners]) @ rotation
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        grazing = np.sum(normal * rays.reshape(-1, 3), axis=1, keepdims=True)
        normal = normal - np.maximum(grazing, 0) * rays.reshape(-1, 3)

        shape = (height, width)
        return View(
            distance=np.where(found, hit["tfar"], 0).astype(np.float32).reshape(shape),
            normal=normal.astype(np.float32).reshape(*shape, 3),
            crest=np.where(found, crest, 0).astype(np.uint16).reshape(shape),
            polyp=(found & self._polyp[nearest]).reshape(shape),
            face=face.astype(np.int32).reshape(shape),
        )


def _vertex_normals(tube: Tube) -> NDArray[np.float32]:
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


def occluding_edge(
    distance: NDArray[np.float32], options: OcclusionOptions = OcclusionOptions()
) -> NDArray[np.bool_]:
    """Near side of every depth jump, one pixel wide, (H, W)."""
    edge = np.zeros(distance.shape, dtype=bool)
    for axis in (0, 1):
        near = np.minimum(distance, np.roll(distance, -1, axis))
        far = np.maximum(distance, np.roll(distance, -1, axis))
        jump = (far - near > options.jump_mm) & (far - near > options.jump_share * near)
        last = [slice(None), slice(None)]
        last[axis] = slice(-1, None)
        jump[tuple(last)] = False
        here_is_near = distance <= near
        edge |= jump & here_is_near
        edge |= np.roll(jump & ~here_is_near, 1, axis)
    return edge & (distance > 0)


def occluding_band(
    distance: NDArray[np.float32],
    rays: NDArray[np.float64],
    edge: NDArray[np.bool_],
    options: OcclusionOptions = OcclusionOptions(),
) -> NDArray[np.bool_]:
    """Pixels within `band_mm` in space of an occluding edge, on its near side, (H, W)."""
    band = np.zeros(distance.shape, dtype=bool)
    if not edge.any():
        return band
    points = distance[..., None] * rays
    candidates = distance > 0
    reached = cKDTree(points[edge]).query(points[candidates], distance_upper_bound=options.band_mm)[
        0
    ]
    band[candidates] = np.isfinite(reached)
    return band


def widen(edge: NDArray[np.bool_], near: NDArray[np.bool_], width_px: int) -> NDArray[np.bool_]:
    """An edge `width_px` wide that grows only into `near` (the near side)."""
    return np.asarray(maximum_filter(edge, size=width_px) & (near | edge))
