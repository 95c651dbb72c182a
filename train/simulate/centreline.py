"""The middle of a lumen from end to end: read from a file, or found inside a surface.

The inside is filled with voxels and every voxel learns its distance to the wall. The two places
farthest apart *within* the lumen are its ends; between them runs the path for which a step costs
the more the nearer it is to the wall (as in virtual colonoscopy: Bitter et al. 2001).
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter1d,
    label,
    map_coordinates,
    maximum_filter1d,
)
from skimage.graph import MCP_Geometric

from engine.errors import RecipeError
from train.simulate.surface import Surface

Floats = NDArray[np.float64]

LARGEST_GRID = 60_000_000
"""Voxels; a colon needs five million."""
SHORTEST = 4.0
"""Length over radius of a centreline; it ends about one radius before the ends of the tube."""
FARTHEST = 3.0
"""Radii from the centreline within which the wall of a tube lies, haustra included."""
LARGEST_MISSED = 0.25
"""Share of the lumen that may lie farther off; loops cut short leave half."""
LARGEST_VOLUME_GAP = 0.1
"""Between what the faces enclose and what cannot be reached from outside."""


@dataclass(frozen=True, slots=True)
class Course:
    """A centreline and how well it serves its lumen."""

    points: Floats
    """(k, 3) mm, 1 mm apart."""
    missed: float
    """Share of the lumen farther than `FARTHEST` radii from the centreline."""


@dataclass(frozen=True, slots=True)
class _Lumen:
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

    def depth_at(self, points: Floats) -> Floats:
        """(k,) mm to the wall at points (k, 3) mm."""
        index = ((points - self.origin) / self.pitch_mm).T
        return np.asarray(map_coordinates(self.depth_mm, index, order=1, mode="constant"))


def read_centreline(path: Path) -> Floats | None:
    """The rows of `<stem>_centreline*` beside a mesh, evenly spaced (k, 3) mm; None without one.

    The file is text with rows `x y z [radius]` in mm, separated by blanks or, in a .csv, commas;
    `_mm` at the end of the mesh's stem may be left out.

    Raises:
        RecipeError: the file is no table of at least 20 finite rows of three numbers.
    """
    lines = centreline_file(path)
    if lines is None:
        return None
    remedy = "Write rows x y z [radius] in mm, or take the file away to have one found."
    try:
        text = [row for row in lines.read_text().splitlines() if row.partition("#")[0].strip()]
        if len(text) < 20:
            raise ValueError(f"{len(text)} rows are too few")
        rows = np.loadtxt(text, delimiter="," if lines.suffix == ".csv" else None, ndmin=2)
        if rows.shape[1] < 3 or not np.isfinite(rows[:, :3]).all():
            raise ValueError("a row is not three finite numbers")
    except (OSError, ValueError) as error:
        raise RecipeError(f"{lines} is no centreline: {error}.", remedy) from error
    return space_evenly(gaussian_filter1d(rows[:, :3], 3.0, axis=0), spacing_mm=1.0)


def centreline_file(path: Path) -> Path | None:
    """The text file with the centreline that lies beside a mesh, if there is one."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0]
    for name in (stem, stem.removesuffix("_mm")):
        for spelling in ("centreline", "centerline"):
            pattern = f"{glob.escape(name)}_{spelling}*"
            for found in sorted(path.parent.glob(pattern)):
                if found.suffix in (".txt", ".csv"):
                    return found
    return None


def space_evenly(points: Floats, spacing_mm: float) -> Floats:
    """Points (k, 3) at equal steps on a smooth curve through the given ones (n, 3)."""
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    keep = np.concatenate([[True], np.diff(lengths) > 1e-6])
    curve = CubicSpline(lengths[keep], points[keep])
    return np.asarray(curve(np.arange(0, lengths[-1], spacing_mm)))


def count_crossings(surface: Surface, points: Floats) -> int:
    """How often a line through points (k, 3) goes through the wall; 0 for a good centreline."""
    steps = np.diff(points, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, surface.vertices.astype(np.float32), surface.faces.astype(np.int32))
    directions = (steps / np.maximum(lengths, 1e-9)[:, None]).astype(np.float32)
    hit = scene.run(points[:-1].astype(np.float32), directions, output=1)
    return int(np.sum((hit["primID"] >= 0) & (hit["tfar"] < lengths)))


def find_centreline(surface: Surface) -> Course:
    """Find the centreline of a mended surface in mm.

    It starts at the end with the smaller z: in scanner coordinates the lower one, in most
    patients the rectum.

    Raises:
        RecipeError: the surface encloses no lumen, crosses itself, or is not a tube.
    """
    lumen = _fill(surface)
    path = _longest_path(lumen)
    places = lumen.place(path)
    length = float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())
    radius = float(np.quantile(lumen.depth_at(places), 0.95))
    if length < SHORTEST * radius:
        raise RecipeError(
            f"{surface.name} is not a tube: {2 * radius:.0f} mm wide, and the way through its "
            f"middle is only {length:.0f} mm long.",
            "Give a stretch of colon at least three times as long as wide.",
        )
    missed = _missed(lumen, path, FARTHEST * radius)
    if missed > LARGEST_MISSED:
        raise RecipeError(
            f"{surface.name}: the longest way through it, {length:.0f} mm, leaves {missed:.0%} "
            "of the inside aside; it is not a single tube.",
            "Close the holes between touching loops, cut branches off, or put a centreline "
            "beside it.",
        )
    raw = space_evenly(places, spacing_mm=1.0)
    points = space_evenly(_smooth(lumen, raw), spacing_mm=1.0)
    return Course(points if points[0, 2] <= points[-1, 2] else points[::-1].copy(), missed)


def _fill(surface: Surface) -> _Lumen:
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
    return _Lumen(surface.name, spaces == largest, depth, corner + 0.5 * pitch, pitch)


def _longest_path(lumen: _Lumen) -> NDArray[np.int64]:
    """Voxels (k, 3) from one end of the lumen to the other, in the middle where there is room."""
    inside, depth = lumen.inside, lumen.depth_mm
    wide = float(np.quantile(depth[inside], 0.9))
    # Ends lie where there is room: clefts between folds reach farther than the lumen itself, and
    # the corners of a flat end farther than its middle.
    room = np.where(inside & (depth >= 0.35 * wide), 2.5 * depth / lumen.pitch_mm, -1e9)
    even = np.where(inside, 1.0, -1.0)
    end = _voxel(np.where(inside, depth, 0).argmax(), inside)
    for _ in range(2):
        other, end = end, _farthest(even, end, room)
    # The square keeps the path out of narrow tunnels between touching loops.
    dear = np.where(inside, (wide / np.maximum(depth, lumen.pitch_mm)) ** 2, -1.0)
    search = MCP_Geometric(dear)
    search.find_costs([other], [end])
    return np.array(search.traceback(end), dtype=np.int64)


def _farthest(costs: Floats, start: tuple[int, ...], room: Floats) -> tuple[int, ...]:
    """The voxel that is far and roomy: where distance and `room` (X, Y, Z) add up to most."""
    distance = MCP_Geometric(costs).find_costs([start])[0]
    return _voxel(np.where(np.isfinite(distance), distance + room, -np.inf).argmax(), room)


def _voxel(flat: Any, grid: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(flat, grid.shape))


def _smooth(lumen: _Lumen, raw: Floats) -> Floats:
    """As smooth as the lumen allows: where a smooth curve would near the wall, less so."""
    least = np.minimum(3.0, 0.5 * lumen.depth_at(raw))
    smooth = gaussian_filter1d(raw, 12.0, axis=0, mode="nearest")
    for spread in (8.0, 5.0, 3.0):
        close = lumen.depth_at(smooth) < least
        if not close.any():
            break
        # The change from one curve to the other is itself gradual.
        around = gaussian_filter1d(maximum_filter1d(close.astype(float), 61), 8.0)[:, None]
        smooth += around * (gaussian_filter1d(raw, spread, axis=0, mode="nearest") - smooth)
    return np.asarray(smooth)


def _missed(lumen: _Lumen, path: NDArray[np.int64], reach_mm: float) -> float:
    """Share of the inside that is farther than `reach_mm`, within the lumen, from the path."""
    even = np.where(lumen.inside, 1.0, -1.0)
    starts = [tuple(int(i) for i in voxel) for voxel in path]
    distance = MCP_Geometric(even).find_costs(starts)[0][lumen.inside] * lumen.pitch_mm
    return float(np.mean(distance > reach_mm))
