"""How far the wall is, so that the tip of the endoscope can keep clear of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from train.simulate.tube import Floats

_CLOSE_MM = 0.05
_STEPS = 40


class Wall:
    """The lumen's wall as its vertices: they lie denser than the tip is thick.

    Args:
        vertices: (n, 3) mm.
        normals: (n, 3) unit, towards the lumen.
    """

    def __init__(self, vertices: Floats, normals: NDArray[np.float32]) -> None:
        self._vertices, self._normals = vertices, normals
        self._tree = cKDTree(vertices, balanced_tree=False)

    def gap_mm(self, points: Floats) -> tuple[Floats, Floats]:
        """Distance (n,) to the wall, negative outside, and the direction (n, 3) away from it."""
        distance, nearest = self._tree.query(points)
        away = points - self._vertices[nearest]
        side = np.where(np.einsum("nc,nc->n", away, self._normals[nearest]) < 0, -1.0, 1.0)
        away *= (side / np.maximum(distance, 1e-9))[:, None]
        return side * distance, away

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
