"""The middle of a lumen from end to end: read from a file, or found inside a surface.

The inside is filled with voxels and every voxel learns its distance to the wall. The two places
farthest apart *within* the lumen are its ends; between them runs the path for which a step costs
the more the nearer it is to the wall (as in virtual colonoscopy: Bitter et al. 2001). Where that
path leaves much of the lumen aside, loops are joined by holes, and `untangling` finds another.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from engine.errors import RecipeError, RecordingError
from train.simulate.cavity import Cavity, Floats, Path3, fill, longest_path, missed_share
from train.simulate.surface import Surface
from train.simulate.untangling import untangle

SHORTEST = 4.0
"""Length over radius of a centreline; it ends about one radius before the ends of the tube."""
LARGEST_MISSED = 0.25
"""Share of the lumen that may lie too far off; loops cut short leave half."""
GOOD_MISSED = 0.05
"""No better way is looked for below this share."""


@dataclass(frozen=True, slots=True)
class Course:
    """A centreline and how well it serves its lumen."""

    points: Floats
    """(k, 3) mm, 1 mm apart."""
    missed: float
    """Share of the lumen that lies too far from the centreline: `missed_share`."""


def read_centreline(lines: Path) -> Floats:
    """The rows of a centreline's file, evenly spaced (k, 3) mm.

    The file is text with rows `x y z [radius]` in mm, separated by blanks or, in a .csv, commas.

    Raises:
        RecipeError: the file is no table of at least 20 finite rows of three numbers.
    """
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


def write_centreline(lines: Path, points: Floats) -> None:
    """Write points (k, 3) mm as `read_centreline` reads them.

    Raises:
        RecordingError: the file cannot be written.
    """
    partial = lines.with_name(f"{lines.name}.partial")
    try:
        lines.parent.mkdir(parents=True, exist_ok=True)
        np.savetxt(partial, points, fmt="%.2f", header="x y z, mm")
        partial.replace(lines)
    except OSError as error:
        raise RecordingError(f"{lines} cannot be written: {error}.", "Choose another.") from error


def centreline_file(path: Path) -> Path | None:
    """`<stem>_centreline*` (.txt or .csv) beside a mesh, if it is there.

    `_mm` at the end of the mesh's stem may be left out.
    """
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
    cavity = fill(surface)
    path = longest_path(cavity)
    length, radius = cavity.length_mm(path), cavity.radius_mm(path)
    if length < SHORTEST * radius:
        raise RecipeError(
            f"{surface.name} is not a tube: {2 * radius:.0f} mm wide, and the way through its "
            f"middle is only {length:.0f} mm long.",
            "Give a stretch of colon at least three times as long as wide.",
        )
    path, missed = _best_path(cavity, path)
    if missed > LARGEST_MISSED:
        raise RecipeError(
            f"{surface.name}: the best way through it, {cavity.length_mm(path):.0f} mm, leaves "
            f"{missed:.0%} of the inside aside; it is not a single tube.",
            "Close the holes between touching loops, cut branches off, or put a centreline "
            "beside it.",
        )
    raw = space_evenly(cavity.place(path), spacing_mm=1.0)
    points = space_evenly(_smooth(cavity, raw), spacing_mm=1.0)
    return Course(points if points[0, 2] <= points[-1, 2] else points[::-1].copy(), missed)


def _best_path(cavity: Cavity, path: Path3) -> tuple[Path3, float]:
    """The path and what it misses; if that is much, the way through that misses least."""
    missed = missed_share(cavity, path)
    if missed <= LARGEST_MISSED:
        return path, missed
    for other in untangle(cavity):
        others_missed = missed_share(cavity, other)
        if others_missed < missed:
            path, missed = other, others_missed
        if missed < GOOD_MISSED:
            break
    return path, missed


def _smooth(cavity: Cavity, raw: Floats) -> Floats:
    """As smooth as the lumen allows: where a smooth curve would near the wall, less so."""
    least = np.minimum(3.0, 0.5 * cavity.depth_at(raw))
    smooth = gaussian_filter1d(raw, 12.0, axis=0, mode="nearest")
    for spread in (8.0, 5.0, 3.0):
        close = cavity.depth_at(smooth) < least
        if not close.any():
            break
        # The change from one curve to the other is itself gradual.
        around = gaussian_filter1d(maximum_filter1d(close.astype(float), 61), 8.0)[:, None]
        smooth += around * (gaussian_filter1d(raw, spread, axis=0, mode="nearest") - smooth)
    return np.asarray(smooth)
