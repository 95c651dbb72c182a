"""The inside of a wall, filled with voxels that know how far the wall is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label, map_coordinates
from skimage.graph import MCP_Geometric

from engine.errors import RecipeError
from train.simulate.surface import Surface

Floats = NDArray[np.float64]
Path3 = NDArray[np.int64]
"""(k, 3) voxels, each beside the one before."""

LARGEST_GRID = 60_000_000
"""Voxels; a colon needs five million."""
FARTHEST = 3.0
"""Radii from its middle within which the wall of a tube lies, haustra included."""
LARGEST_VOLUME_GAP = 0.1
"""Between what the faces enclose and what cannot be reached from outside."""


@dataclass(frozen=True, slots=True)
class Cavity:
    """Voxels of the inside."""

    name: str
    inside: NDArray[np.bool_]
    """(X, Y, Z)."""
    depth_mm: NDArray[np.float64]
    """(X, Y, Z) distance to the wall, 0 in it."""
    origin: Floats
    """(3,) mm, middle of voxel (0, 0, 0)."""
    pitch_mm: float

    def place(self, voxels: NDArray[np.int64]) -> Floats:
        """(k, 3) mm of voxel indices (k, 3)."""
        return voxels * self.pitch_mm + self.origin

    def length_mm(self, path: Path3) -> float:
        """Of a path (k, 3)."""
        return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) * self.pitch_mm

    def depth_at(self, points: Floats) -> Floats:
        """(k,) mm to the wall at points (k, 3) mm."""
        index = ((points - self.origin) / self.pitch_mm).T
        return np.asarray(map_coordinates(self.depth_mm, index, order=1, mode="constant"))

    @property
    def wide_mm(self) -> float:
        """To the wall from the middle of the lumen, where it is wide."""
        return float(np.quantile(self.depth_mm[self.inside], 0.9))

    def radius_mm(self, path: Path3) -> float:
        """Of the lumen around a path (k, 3), where it is wide."""
        return float(np.quantile(self.depth_at(self.place(path)), 0.95))


def fill(surface: Surface) -> Cavity:
    """The largest space that cannot be reached from outside."""
    # Nine voxels across the lumen; twice volume over area is the radius of a smooth tube.
    pitch = float(np.clip(2 * abs(surface.volume) / surface.area / 9.0, 1.0, 2.0))
    size = np.ptp(surface.vertices, axis=0) / pitch + 4
    if np.prod(size) > LARGEST_GRID:
        raise RecipeError(
            f"{surface.name} is {surface.extent:.0f} mm long, too large for a colon.",
            "Check the unit of its coordinates.",
        )
    # Samples this dense leave no gap between voxels that share a side.
    samples = trimesh.remesh.subdivide_to_size(  # type: ignore[no-untyped-call]
        surface.vertices, surface.faces, max_edge=0.8 * pitch, max_iter=24
    )[0]
    corner = surface.vertices.min(axis=0) - 1.5 * pitch
    index = ((samples - corner) / pitch).astype(np.int64)
    wall = np.zeros(tuple(index.max(axis=0) + 2), dtype=bool)
    wall[tuple(index.T)] = True
    spaces, _ = label(~wall)
    sizes = np.bincount(spaces.ravel())
    outside = spaces[0, 0, 0]
    # Half of the wall's voxels belong to the inside.
    reached = (sizes[1:].sum() - sizes[outside] + 0.5 * wall.sum()) * pitch**3
    sizes[[0, outside]] = 0
    largest = int(np.argmax(sizes))
    gap = abs(reached / max(abs(surface.volume), 1e-9) - 1)
    if gap > LARGEST_VOLUME_GAP or sizes[largest] < 0.8 * sizes.sum() or not sizes.any():
        raise RecipeError(
            f"{surface.name} encloses no single lumen: its wall is too thin, crosses itself or "
            "divides the inside.",
            "Repair the mesh so that it is one closed wall around one lumen.",
        )
    depth = distance_transform_edt(~wall) * pitch
    return Cavity(surface.name, spaces == largest, depth, corner + 0.5 * pitch, pitch)


def longest_path(cavity: Cavity) -> Path3:
    """Voxels (k, 3) from one end of the lumen to the other, in the middle where there is room."""
    inside, depth = cavity.inside, cavity.depth_mm
    wide = cavity.wide_mm
    # Ends lie where there is room: clefts between folds reach farther than the lumen itself, and
    # the corners of a flat end farther than its middle.
    room = np.where(inside & (depth >= 0.35 * wide), 2.5 * depth / cavity.pitch_mm, -1e9)
    even = np.where(inside, 1.0, -1.0)
    end = _voxel(np.where(inside, depth, 0).argmax(), inside)
    for _ in range(2):
        other, end = end, _farthest(even, end, room)
    # The square keeps the path out of narrow tunnels between touching loops.
    dear = np.where(inside, (wide / np.maximum(depth, cavity.pitch_mm)) ** 2, -1.0)
    search = MCP_Geometric(dear)
    search.find_costs([other], [end])
    return np.array(search.traceback(end), dtype=np.int64)


def _farthest(costs: Floats, start: tuple[int, ...], room: Floats) -> tuple[int, ...]:
    """The voxel that is far and roomy: where distance and `room` (X, Y, Z) add up to most."""
    distance = MCP_Geometric(costs).find_costs([start])[0]
    return _voxel(np.where(np.isfinite(distance), distance + room, -np.inf).argmax(), room)


def _voxel(flat: Any, grid: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, grid.shape))


def missed_share(cavity: Cavity, path: Path3) -> float:
    """Share of the inside farther than `FARTHEST` radii, within the lumen, from the path."""
    even = np.where(cavity.inside, 1.0, -1.0)
    starts = [tuple(int(i) for i in voxel) for voxel in path]
    distance = MCP_Geometric(even).find_costs(starts)[0][cavity.inside] * cavity.pitch_mm
    return float(np.mean(distance > FARTHEST * cavity.radius_mm(path)))
