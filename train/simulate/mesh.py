"""A colon from a mesh file with its centreline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from engine.errors import RecipeError
from train.simulate.anatomy import AnalyticFolds, Tube


def read_tube(path: Path) -> Tube:
    """Read a closed lumen surface in millimetres and the centreline that lies beside it.

    The centreline is a text file `<stem>_centreline.*` (or `<stem without _mm>_centreline.*`)
    with rows `x y z [radius]`.

    Raises:
        RecipeError: a file is missing or not a closed surface around its centreline.
    """
    path = Path(path)
    lines = _centreline_file(path)
    try:
        mesh: Any = trimesh.load(path, force="mesh", process=True)
        rows = np.loadtxt(lines, comments="#", delimiter="," if lines.suffix == ".csv" else None)
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path} cannot be read as a mesh with centreline: {error}.",
                          "Give a PLY, OBJ, STL or GLB in millimetres.") from error  # fmt: skip
    if len(mesh.faces) == 0 or rows.ndim != 2 or rows.shape[1] < 3 or len(rows) < 20:
        raise RecipeError(f"{path} or its centreline {lines.name} is empty.", "Check the files.")
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    faces = np.asarray(mesh.faces, dtype=np.int64)
    if mesh.volume > 0:  # trimesh: positive when faces look outwards; ours look into the lumen
        faces = faces[:, ::-1]
    points = _evenly(gaussian_filter1d(rows[:, :3], 3.0, axis=0), spacing=1.0)
    radius = cKDTree(vertices).query(points)[0]
    n = len(vertices)
    return Tube(vertices, faces, points, radius, np.zeros(n, dtype=bool), AnalyticFolds.none(n))


def _centreline_file(path: Path) -> Path:
    stems = (path.stem, path.stem.removesuffix("_mm"))
    for stem in stems:
        for found in sorted(path.parent.glob(f"{stem}_centreline*.txt")) + sorted(
            path.parent.glob(f"{stem}_centerline*.txt")
        ):
            return found
    raise RecipeError(
        f"No centreline lies beside {path}.",
        f"Put x y z rows in mm into {stems[0]}_centreline.txt.",
    )


def _evenly(points: NDArray[np.float64], spacing: float) -> NDArray[np.float64]:
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    keep = np.concatenate([[True], np.diff(lengths) > 1e-6])
    curve = CubicSpline(lengths[keep], points[keep])
    return np.asarray(curve(np.arange(0, lengths[-1], spacing)))
