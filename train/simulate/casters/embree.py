"""Rays by Embree: builds a tree over the faces anew whenever they move."""

from __future__ import annotations

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.hits import Hits


class Embree:
    """See `train.simulate.casters.Caster`."""

    def __init__(self, faces: NDArray[np.int32]) -> None:
        self._faces = faces

    def move(self, vertices: NDArray[np.float64]) -> None:
        """Build the scene."""
        self._scene = EmbreeScene(robust=True)
        TriangleMesh(self._scene, np.ascontiguousarray(vertices, np.float32), self._faces)

    def cast(self, pose: NDArray[np.float64], camera: Camera) -> Hits:
        """One ray per pixel."""
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
