"""A colon from elsewhere: a mesh or a label volume as a tube in millimetres.

file → surface, volume      triangles, whatever their faults
     → surface.mend         one closed wall, faces towards the lumen
     → the unit             by what an adult colon can measure, unless told
     → centreline           from the file beside it, or found
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import igl
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from engine.errors import RecipeError
from train.simulate.centreline import (
    Course,
    centreline_file,
    count_crossings,
    find_centreline,
    read_centreline,
)
from train.simulate.surface import Surface, mend, read_surface
from train.simulate.tube import AnalyticFolds, Tube
from train.simulate.volume import is_volume, read_volume

MM_PER = {"mm": 1.0, "cm": 10.0, "m": 1000.0}

# Less than a factor of ten from least to most: two units are never both plausible.
_PLAUSIBLE_RADIUS_MM = (5.0, 35.0)
_PLAUSIBLE_EXTENT_MM = (60.0, 1000.0)

WIDEST_OPENING_MM = 120.0
"""The open end of a caecum is narrower; a wider opening is a missing wall."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a tube came from and what was assumed and changed on the way."""

    name: str
    unit: str
    """Of the file: mm, cm or m."""
    is_unit_assumed: bool
    centreline: str
    """Name of the file it was read from, or "found"."""
    length_mm: float
    radius_mm: float
    """Median distance from centreline to wall."""
    handles: int
    """Tunnels through the wall: torn folds, touching loops."""
    crossings: int
    """Times the centreline of a file goes through the wall: it takes short cuts."""
    missed: float | None
    """Share of the lumen far from a centreline that was found; None for one from a file."""
    repairs: tuple[str, ...]

    def sentence(self) -> str:
        """All of it for people, in one line."""
        assumed = " (assumed by size)" if self.is_unit_assumed else ""
        missed = f", misses {self.missed:.1%} of the lumen" if self.missed is not None else ""
        crossing = f", through the wall {self.crossings} times" if self.crossings else ""
        return (
            f"{self.name}: in {self.unit}{assumed}; centreline {self.centreline}, "
            f"{self.length_mm:.0f} mm{missed}{crossing}; median radius {self.radius_mm:.1f} mm; "
            f"{self.handles} handles; {'; '.join(self.repairs) or 'nothing repaired'}."
        )


@dataclass(frozen=True, slots=True)
class ScannedColon:
    """A tube from a file with its provenance."""

    tube: Tube
    provenance: Provenance


def read_tube(path: Path, unit: str | None = None) -> Tube:
    """Read a colon for the simulator: `read_colon` without the provenance, which is logged.

    Raises:
        RecipeError: see `read_colon`.
    """
    colon = read_colon(path, unit)
    _log.info("%s", colon.provenance.sentence())
    return colon.tube


def read_colon(path: Path, unit: str | None = None, centreline: Path | None = None) -> ScannedColon:
    """Read a lumen surface (PLY, OBJ, STL, GLB) or label volume (NIfTI) with its centreline.

    A text file `<stem>_centreline.txt` beside it, rows `x y z [radius]` in mm, gives the
    centreline; without one it is found.

    Args:
        path: the file.
        unit: mm, cm or m of the coordinates; by the size of an adult colon when omitted. A volume
            is in mm.
        centreline: a file to read it from instead of the one beside.

    Raises:
        RecipeError: unreadable, beyond repair, of unknown unit, or not a tube.
    """
    path = Path(path)
    surface, taken = _read_closed(path, unit)
    line = centreline or centreline_file(path)
    crossings, missed = 0, None
    if line is None:
        course = find_centreline(surface)
        points, missed = course.points, course.missed
    else:
        points = read_centreline(line)
        _refuse_line_outside(surface, points)
        crossings = count_crossings(surface, points)
    tube = _tube(surface, points)
    return ScannedColon(
        tube,
        Provenance(
            name=path.name,
            unit=taken,
            is_unit_assumed=unit is None and not is_volume(path),
            centreline=line.name if line else "found",
            length_mm=float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum()),
            radius_mm=float(np.median(tube.radius)),
            handles=surface.handles,
            crossings=crossings,
            missed=missed,
            repairs=surface.repairs,
        ),
    )


def find_course(path: Path, unit: str | None = None) -> Course:
    """The centreline found inside a mesh or volume, whatever lies beside it.

    Raises:
        RecipeError: see `read_colon`.
    """
    return find_centreline(_read_closed(Path(path), unit)[0])


def _read_closed(path: Path, unit: str | None) -> tuple[Surface, str]:
    """The surface in mm, and the unit of its file."""
    surface, taken = _read_mended(path, unit)
    surface = surface.scaled(MM_PER[taken])
    if surface.widest_hole > WIDEST_OPENING_MM:
        raise RecipeError(
            f"{path.name} has an opening {surface.widest_hole:.0f} mm wide.",
            "Give a wall that is closed but for its two ends.",
        )
    return surface, taken


def _read_mended(path: Path, unit: str | None) -> tuple[Surface, str]:
    """The surface in the unit of its file, and that unit."""
    if unit is not None and unit not in MM_PER:
        raise RecipeError(f"Unknown unit {unit!r} for {path.name}.", "Say mm, cm or m.")
    if not is_volume(path):
        surface = mend(read_surface(path))
        return surface, unit or _plausible_unit(surface)
    surface = mend(read_volume(path))
    if _plausible_unit(surface) != "mm" or unit not in (None, "mm"):
        raise RecipeError(
            f"{path.name} has a spacing in mm by its header, but not the size of a colon so.",
            "Save the volume with the spacing of the scan.",
        )
    return surface, "mm"


def _tube(surface: Surface, points: NDArray[np.float64]) -> Tube:
    radius = cKDTree(surface.vertices).query(points)[0]
    n = len(surface.vertices)
    feature, folds = np.zeros(n, np.uint8), AnalyticFolds.none(n)
    return Tube(surface.vertices, surface.faces, points, radius, feature, folds)


def _plausible_unit(surface: Surface) -> str:
    """The unit in which the surface has the size of an adult colon or a stretch of it."""
    # Twice volume over area is the radius of a smooth tube, and less with folds.
    radius, extent = 2 * abs(surface.volume) / surface.area, surface.extent
    for unit, mm in MM_PER.items():
        if (
            _PLAUSIBLE_RADIUS_MM[0] <= radius * mm <= _PLAUSIBLE_RADIUS_MM[1]
            and _PLAUSIBLE_EXTENT_MM[0] <= extent * mm <= _PLAUSIBLE_EXTENT_MM[1]
        ):
            return unit
    raise RecipeError(
        f"{surface.name} is {extent:.3g} long with a lumen radius of about {radius:.2g}: no adult "
        "colon in mm, cm or m.",
        "Scale it to millimetres (radius 10 to 30), or say its unit.",
    )


def _refuse_line_outside(surface: Surface, points: NDArray[np.float64]) -> None:
    turns = igl.fast_winding_number(surface.vertices, surface.faces, np.ascontiguousarray(points))
    inside = float(np.mean(np.abs(turns) > 0.5))
    if inside < 0.8:
        raise RecipeError(
            f"Only {inside:.0%} of the centreline beside {surface.name} lies inside the surface.",
            "Write it in mm and in the coordinates of the mesh, or take it away.",
        )
