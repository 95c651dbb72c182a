# mypy: disable-error-code="valid-type, untyped-decorator"
"""Rays by NVIDIA Warp: one kernel for CUDA and for processors (extra `warp`).

It is chosen for machines with a GPU; without one the same kernel runs on the processor, slowly.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.hits import Hits

wp.config.log_level = wp.LOG_ERROR
_FARTHEST_MM = 1e6


@wp.kernel
def _cast(
    mesh: wp.uint64,
    eye: wp.vec3,
    turn: wp.mat33,
    rays: wp.array(dtype=wp.vec3),
    face: wp.array(dtype=wp.int32),
    weights: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=wp.float32),
) -> None:
    i = wp.tid()
    query = wp.mesh_query_ray(mesh, eye, turn @ rays[i], _FARTHEST_MM)
    if query.result:
        face[i] = query.face
        weights[i] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
        distance[i] = query.t
    else:
        face[i] = -1


class Warp:
    """See `train.simulate.casters.Caster`."""

    def __init__(self, faces: NDArray[np.int32]) -> None:
        wp.init()
        self._device = str(wp.get_preferred_device())
        self._faces = faces
        self._mesh: Any = None

    def move(self, vertices: NDArray[np.float64]) -> None:
        """Put the points where they are; the tree over the faces is fitted to them anew."""
        points = wp.array(vertices.astype(np.float32), dtype=wp.vec3, device=self._device)
        if self._mesh is None:
            indices = wp.array(self._faces.ravel(), dtype=wp.int32, device=self._device)
            self._mesh = wp.Mesh(points=points, indices=indices)
            return
        wp.copy(self._mesh.points, points)
        self._mesh.refit()

    def cast(self, pose: NDArray[np.float64], camera: Camera) -> Hits:
        """One ray per pixel."""
        rays = _rays_of(camera, self._device)
        face, weights, distance = (
            wp.empty(len(rays), dtype=kind, device=self._device)
            for kind in (wp.int32, wp.vec3, wp.float32)
        )
        eye, turn = wp.vec3(*pose[:3, 3].tolist()), wp.mat33(*pose[:3, :3].ravel().tolist())
        wp.launch(
            _cast, dim=len(rays), device=self._device,
            inputs=[self._mesh.id, eye, turn, rays, face, weights, distance],
        )  # fmt: skip
        found = face.numpy()
        hit = np.flatnonzero(found >= 0)
        faces = found[hit]
        return Hits(
            (camera.height, camera.width),
            np.flatnonzero(camera.sees())[hit],
            faces,
            self._faces[faces],
            weights.numpy()[hit],
            distance.numpy()[hit],
        )


@lru_cache(maxsize=16)
def _rays_of(camera: Camera, device: str) -> Any:
    rays = camera.rays()[camera.sees()].astype(np.float32)
    return wp.array(rays, dtype=wp.vec3, device=device)
