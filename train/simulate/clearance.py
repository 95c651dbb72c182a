"""How far the wall is, so that the tip of the endoscope can keep clear of it."""

from __future__ import annotations

import igl
import numpy as np
import trimesh
from numpy.typing import NDArray

from train.simulate.rays import vertex_normals
from train.simulate.tube import Floats

_CLOSE_MM = 0.05
_STEPS = 40


class Wall:
    """Some faces (m, 3) of a tube with vertices (n, 3) mm, for distances to them."""

    def __init__(self, vertices: Floats, faces: NDArray[np.int64]) -> None:
        self._vertices = np.ascontiguousarray(vertices, np.float64)
        self._faces = np.ascontiguousarray(faces, np.int64)
        self._normals = vertex_normals(self._vertices, self._faces)
        self._tree = igl.AABB()
        self._tree.init(self._vertices, self._faces)

    def gap_mm(self, points: Floats) -> tuple[Floats, Floats]:
        """Distance (n,) to the wall, negative outside, and the direction (n, 3) away from it."""
        squared, face, foot = self._tree.squared_distance(
            self._vertices, self._faces, np.ascontiguousarray(points, np.float64)
        )
        corners = self._faces[face]
        weights = trimesh.triangles.points_to_barycentric(  # type: ignore[no-untyped-call]
            self._vertices[corners], foot
        )
        # At an edge the face's own normal may point to the wrong side; the mean around it does not.
        normal = np.einsum("nk,nkc->nc", weights, self._normals[corners])
        distance, away = np.sqrt(squared), points - foot
        side = np.where(np.einsum("nc,nc->n", away, normal) < 0, -1.0, 1.0)
        return side * distance, away * (side / np.maximum(distance, 1e-9))[:, None]

    def reach_mm(self, start: Floats, direction: Floats, far_mm: Floats, room_mm: Floats) -> Floats:
        """How far (n,) one comes from `start` (n, 3), at most `far_mm`, with `room_mm` all the way.

        Every step is as long as the free ball around the point reached so far (Hart 1996).
        """
        gone = np.zeros(len(start))
        active = np.flatnonzero(far_mm > 0)
        for _ in range(_STEPS):
            if not len(active):
                break
            here = start[active] + gone[active, None] * direction[active]
            free = self.gap_mm(here)[0] - room_mm[active]
            gone[active] = np.minimum(gone[active] + np.maximum(free, 0), far_mm[active])
            active = active[(free > _CLOSE_MM) & (gone[active] < far_mm[active])]
        return gone
