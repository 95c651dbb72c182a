"""A triangle surface from a file, mended until it is one closed wall around one lumen.

Scans come with doubled vertices, loose parts, open ends and faces turned either way. What can be
mended without guessing is mended and said in `Surface.repairs`; the rest is refused.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import igl
import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from engine.errors import RecipeError

MESH_SUFFIXES = (".ply", ".obj", ".stl", ".glb")

FEWEST_FACES = 100
"""A wall of fewer triangles shows no fold."""
SMALLEST_SHARE = 0.6
"""Of the whole area, that the largest part must hold; below, no part is *the* colon."""
LARGEST_NON_MANIFOLD = 0.002
"""Share of edges with more than two faces that curvature and rays do not mind."""

_FARTHEST = 1e9
"""Coordinates beyond are no lengths but damaged numbers."""

# What the readers of trimesh raise on files that are cut short or are something else.
_UNREADABLE = (
    OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError,
    RuntimeError, NameError, ImportError, struct.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles in the unit of their file, and what was done to them."""

    name: str
    """Of the file, for messages."""
    vertices: NDArray[np.float64]
    """(n, 3)."""
    faces: NDArray[np.int64]
    """(m, 3)."""
    repairs: tuple[str, ...] = ()
    """Sentences for people, in the order of the work."""
    widest_hole: float = 0.0
    """Extent of the largest opening that was closed, in the unit of the vertices."""

    @property
    def area(self) -> float:
        """Of all triangles."""
        return float(_face_areas(self.vertices, self.faces).sum())

    @property
    def volume(self) -> float:
        """Enclosed; positive when faces look outwards, negative when they look into the lumen."""
        # Around the middle, so that distance from the origin costs no digits.
        a, b, c = _corners(self.vertices - self.vertices.mean(axis=0), self.faces)
        return float(np.sum(a * np.cross(b, c)) / 6.0)

    @property
    def extent(self) -> float:
        """Longest side of the box around the surface."""
        return float(np.ptp(self.vertices, axis=0).max())

    @property
    def handles(self) -> int:
        """Tunnels through the wall (genus), from Euler's formula for a closed surface."""
        edges = len(_Edges(self.faces).pairs)
        return max(0, (2 - (len(self.vertices) - edges + len(self.faces))) // 2)

    def scaled(self, factor: float) -> Surface:
        """The same surface in another unit."""
        hole = self.widest_hole * factor
        return replace(self, vertices=self.vertices * factor, widest_hole=hole)


def read_surface(path: Path) -> Surface:
    """Read the triangles of a PLY, OBJ, STL or GLB file; the parts of a scene are joined.

    Raises:
        RecipeError: the file is missing, of another kind, cut short, or holds no triangles.
    """
    if path.suffix.lower() not in MESH_SUFFIXES:
        raise RecipeError(
            f"{path} is no mesh Haustra reads.", "Give a PLY, OBJ, STL or GLB, or a NIfTI volume."
        )
    if not path.is_file():
        raise RecipeError(f"{path} does not exist.", "Check the name of the mesh.")
    try:
        mesh = _load(path)
        vertices = np.array(mesh.vertices, dtype=np.float64).reshape(-1, 3)
        faces = np.array(mesh.faces, dtype=np.int64).reshape(-1, 3)
    except _UNREADABLE as error:
        # Damaged bytes send the library looking for a package that guesses encodings.
        reason = "damaged bytes" if isinstance(error, ImportError) else f"{error!r}"
        raise RecipeError(
            f"{path} cannot be read as a mesh ({reason}).",
            "Save it anew as a triangle mesh: PLY, OBJ, STL or GLB.",
        ) from error
    if len(faces) == 0 or faces.min() < 0 or faces.max() >= len(vertices):
        raise RecipeError(
            f"{path} holds no triangles, or triangles of missing points.",
            "Save it anew as a triangle mesh: PLY, OBJ, STL or GLB.",
        )
    return Surface(path.name, vertices, faces)


def _load(path: Path) -> Any:
    """The mesh as the library reads it."""
    kind = path.suffix.lower().removeprefix(".")
    # Text may name its parts in any encoding; only numbers matter here.
    text = kind == "obj"
    source = (
        io.StringIO(path.read_text("utf-8", "replace")) if text else io.BytesIO(path.read_bytes())
    )
    return trimesh.load(source, file_type=kind, force="mesh", process=False, skip_materials=True)


def mend(surface: Surface) -> Surface:
    """Make one closed, oriented surface whose faces look into the lumen.

    Raises:
        RecipeError: not finite, too small, in pieces, one-sided, or with a wall that branches.
    """
    if not np.abs(surface.vertices).max() < _FARTHEST:  # Not so for NaN either.
        raise RecipeError(
            f"{surface.name} has points without finite coordinates.", "Export the mesh anew."
        )
    surface = _largest_part(_without_doubles(surface))
    _refuse_branching_wall(surface)
    surface = _closed(_oriented(surface))
    if surface.volume > 0:
        return replace(
            surface,
            faces=np.ascontiguousarray(surface.faces[:, ::-1]),
            repairs=(*surface.repairs, "faces turned to look into the lumen"),
        )
    return surface


def _without_doubles(surface: Surface) -> Surface:
    """Equal points become one; triangles that repeat a corner, or another triangle, go."""
    points = surface.vertices - surface.vertices.min(axis=0)
    # A millionth of the size: far below any fold, above the rounding of single precision.
    first, point = trimesh.grouping.unique_rows(  # type: ignore[no-untyped-call]
        points / max(float(points.max()), 1e-30), digits=6
    )
    faces = _single(point.reshape(-1)[surface.faces])
    if len(faces) < FEWEST_FACES:
        raise RecipeError(
            f"{surface.name} has only {len(faces)} proper triangles.",
            f"A colon with folds needs thousands; fewer than {FEWEST_FACES} are refused.",
        )
    gone = len(surface.faces) - len(faces)
    repairs = (*surface.repairs, f"{gone} degenerate or repeated faces dropped") if gone else ()
    return replace(surface, repairs=repairs, **_compact(surface.vertices[first], faces))


def _single(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles with three corners, each once.

    Two that lie back to back enclose nothing and both go, unless the whole mesh is drawn on both
    sides.
    """
    a, b, c = faces.T
    proper = (a != b) & (b != c) & (c != a)
    faces, a, b, c = faces[proper], a[proper], b[proper], c[proper]
    if not len(faces):
        return faces
    first, group = trimesh.grouping.unique_rows(np.sort(faces, axis=1))  # type: ignore[no-untyped-call]
    turns = np.sign(b - a) * np.sign(c - b) * np.sign(c - a)
    back_to_back = np.bincount(group, weights=turns) == 0
    if back_to_back.mean() < 0.5:
        first = first[~back_to_back]
    return np.asarray(faces[np.sort(first)])


def _largest_part(surface: Surface) -> Surface:
    """The connected part with the largest area."""
    n = len(surface.vertices)
    edges = _Edges(surface.faces).pairs
    graph = coo_matrix((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(n, n))
    count, part = connected_components(graph, directed=False)
    if count == 1:
        return surface
    of_face = part[surface.faces[:, 0]]
    areas = np.bincount(of_face, weights=_face_areas(surface.vertices, surface.faces))
    largest, share = int(np.argmax(areas)), float(areas.max() / max(areas.sum(), 1e-30))
    if share < SMALLEST_SHARE:
        raise RecipeError(
            f"{surface.name} falls into {count} parts; the largest holds {share:.0%} of the area.",
            "Join the parts to one tube, or keep only the inner wall of the colon.",
        )
    repairs = (*surface.repairs, f"{count - 1} loose parts dropped ({1 - share:.1%} of the area)")
    kept = _compact(surface.vertices, surface.faces[of_face == largest])
    return replace(surface, repairs=repairs, **kept)


def _refuse_branching_wall(surface: Surface) -> None:
    branching = _Edges(surface.faces).count > 2
    share = float(np.mean(branching))
    if share > LARGEST_NON_MANIFOLD:
        raise RecipeError(
            f"{surface.name}: {branching.sum()} edges ({share:.1%}) join more than two faces.",
            "Remove walls inside the wall (non-manifold edges) in a mesh editor.",
        )


def _oriented(surface: Surface) -> Surface:
    """Neighbouring faces look to the same side."""
    if _Edges(surface.faces).are_walked_both_ways:
        return surface
    faces = np.asarray(igl.bfs_orient(np.ascontiguousarray(surface.faces))[0], dtype=np.int64)
    if not _Edges(faces).are_walked_both_ways:
        raise RecipeError(
            f"{surface.name} has only one side, like a Möbius strip.",
            "Repair the orientation of its faces in a mesh editor.",
        )
    return replace(
        surface, faces=faces, repairs=(*surface.repairs, "faces turned to look to one side")
    )


def _closed(surface: Surface) -> Surface:
    """Every opening closed by a fan around its middle."""
    rim = _Edges(surface.faces).rim
    if not len(rim):
        return surface
    n = len(surface.vertices)
    graph = coo_matrix((np.ones(len(rim), np.int8), (rim[:, 0], rim[:, 1])), shape=(n, n))
    loop_of_vertex = connected_components(graph, directed=False)[1]
    loops, loop = np.unique(loop_of_vertex[rim[:, 0]], return_inverse=True)
    around = [surface.vertices[rim[loop == k].ravel()] for k in range(len(loops))]
    fans = np.stack([rim[:, 1], rim[:, 0], n + loop], axis=1)
    widest = max(float(np.linalg.norm(np.ptp(points, axis=0))) for points in around)
    closed = replace(
        surface,
        vertices=np.concatenate([surface.vertices, [points.mean(axis=0) for points in around]]),
        faces=np.concatenate([surface.faces, fans]),
        repairs=(*surface.repairs, f"{len(loops)} openings closed"),
        widest_hole=widest,
    )
    if len(_Edges(closed.faces).rim):
        raise RecipeError(
            f"{surface.name} stays open: the rims of its holes branch.",
            "Close the holes in a mesh editor.",
        )
    return closed


class _Edges:
    """The undirected edges of faces, and how the faces walk them."""

    def __init__(self, faces: NDArray[np.int64]) -> None:
        self._directed = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        n = int(faces.max()) + 1
        # One number for an edge: sorting numbers is much faster than sorting rows.
        key = self._directed.min(axis=1) * n + self._directed.max(axis=1)
        keys, self._edge, self.count = np.unique(key, return_inverse=True, return_counts=True)
        self.pairs: NDArray[np.int64] = np.stack([keys // n, keys % n], axis=1)
        """(k, 2) vertices, the smaller first; `count` (k,) is the number of faces at each."""

    @property
    def rim(self) -> NDArray[np.int64]:
        """(r, 2) edges of one face only, in the direction in which that face walks them."""
        return np.asarray(self._directed[self.count[self._edge] == 1])

    @property
    def are_walked_both_ways(self) -> bool:
        """Where two faces meet, each walks the edge in its own direction: one orientation."""
        forward = np.where(self._directed[:, 0] < self._directed[:, 1], 1.0, -1.0)
        balance = np.bincount(self._edge, weights=forward)
        return bool((balance[self.count == 2] == 0).all())


def _compact(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> dict[str, Any]:
    """Vertices in use and the faces numbered anew: libraries trip over points without faces."""
    used, renumbered = np.unique(faces, return_inverse=True)
    return {
        "vertices": np.ascontiguousarray(vertices[used], dtype=np.float64),
        "faces": np.ascontiguousarray(renumbered.reshape(-1, 3), dtype=np.int64),
    }


def _corners(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> list[NDArray[np.float64]]:
    return [vertices[faces[:, k]] for k in range(3)]


def _face_areas(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    a, b, c = _corners(vertices, faces)
    return np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0)
