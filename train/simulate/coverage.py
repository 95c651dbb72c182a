"""What a camera saw of the wall: the exact truth for unexplored regions.

`coverage.npz` of a sequence holds, for every face of the mesh: `first_seen` (frame, -1 never),
`nearest_mm` (smallest distance it was seen from) and `best_cosine` (largest cosine between the
line of sight and the wall's normal; 1 is face on). A face is seen when the ray through the centre
of a pixel meets it; `folds.json` says how much of the wall *behind* each fold was seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import bare
from train.simulate.folds import TubePlace, tube_place
from train.simulate.hits import Hits
from train.simulate.tube import Floats, Tube

CLOCK_SECTORS = 12
BEHIND_MM = 15.0
"""The wall behind a fold reaches this far, or to the next fold."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Per face of a mesh, all (m,)."""

    first_seen: NDArray[np.int32]
    nearest_mm: NDArray[np.float32]
    best_cosine: NDArray[np.float32]

    @classmethod
    def none(cls, faces: int) -> Coverage:
        """Nothing seen yet."""
        return cls(
            np.full(faces, -1, np.int32),
            np.full(faces, np.inf, np.float32),
            np.zeros(faces, np.float32),
        )

    def add(self, number: int, hits: Hits, cosine: NDArray[np.float32]) -> None:
        """Note what frame `number` sees; `cosine` (n,) belongs to the hits."""
        _add(self.first_seen, self.nearest_mm, self.best_cosine, number, (
            hits.face, hits.distance, cosine,
        ))  # fmt: skip

    def save(self, path: Path) -> None:
        """Write `coverage.npz`."""
        np.savez(
            path,
            first_seen=self.first_seen,
            nearest_mm=self.nearest_mm,
            best_cosine=self.best_cosine,
        )


@dataclass(frozen=True, slots=True)
class SectorBehind:
    """The wall behind one fold within one hour of the clock."""

    fold: int
    clock: int
    """1..12; 12 is where the angle of `TubePlace` is 0, counted towards growing angles."""
    area_mm2: float
    seen_share: float


@dataclass(frozen=True, slots=True)
class WallBehind:
    """The faces behind one fold within one hour of the clock."""

    fold: int
    clock: int
    faces: NDArray[np.int64]
    area_mm2: Floats
    """Of each of the faces."""


def faces_behind(tube: Tube, folds: NDArray[np.int64]) -> list[WallBehind]:
    """What of the wall lies behind each fold, clock sector by clock sector.

    Behind is the side of larger arc length: towards the caecum, as a withdrawing camera sees it.

    Args:
        tube: the mesh.
        folds: (n,) fold of every vertex, 0 for none.
    """
    place = tube_place(tube)
    corners = tube.vertices[tube.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]),
                          axis=1) / 2  # fmt: skip
    along = place.along_mm[tube.faces].mean(axis=1)
    sector = _clock(place)[tube.faces[:, 0]]
    crests = _crest_places(place, folds)
    found = []
    for clock in range(1, CLOCK_SECTORS + 1):
        here = sorted((at, fold) for (fold, hour), at in crests.items() if hour == clock)
        in_sector = np.flatnonzero(sector == clock)
        depth = along[in_sector]
        for position, (at, fold) in enumerate(here):
            after = here[position + 1][0] if position + 1 < len(here) else np.inf
            faces = in_sector[(depth > at) & (depth <= min(at + BEHIND_MM, after))]
            if area[faces].sum() > 0:
                found.append(WallBehind(fold, clock, faces, area[faces]))
    return sorted(found, key=lambda each: (each.fold, each.clock))


def wall_behind(tube: Tube, folds: NDArray[np.int64], coverage: Coverage) -> list[SectorBehind]:
    """How much of the wall behind each fold was seen, clock sector by clock sector."""
    found = []
    for wall in faces_behind(tube, folds):
        total = float(wall.area_mm2.sum())
        seen = float(wall.area_mm2[coverage.first_seen[wall.faces] >= 0].sum()) / total
        found.append(SectorBehind(wall.fold, wall.clock, round(total, 1), round(seen, 4)))
    return found


def seen_behind(
    walls: list[WallBehind], coverage: Coverage, frames: int
) -> tuple[list[int], NDArray[np.float32]]:
    """Folds (k), and the share (frames, k) of the wall behind each seen up to each frame."""
    folds = sorted({wall.fold for wall in walls})
    new_mm2, total_mm2 = np.zeros((frames, len(folds))), np.zeros(len(folds))
    for wall in walls:
        column = folds.index(wall.fold)
        total_mm2[column] += wall.area_mm2.sum()
        first = coverage.first_seen[wall.faces]
        is_seen = (first >= 0) & (first < frames)
        np.add.at(new_mm2[:, column], first[is_seen], wall.area_mm2[is_seen])
    return folds, (new_mm2.cumsum(axis=0) / np.maximum(total_mm2, 1e-9)).astype(np.float32)


def _clock(place: TubePlace) -> NDArray[np.int64]:
    hour = np.floor(place.angle / (2 * np.pi) * CLOCK_SECTORS + 0.5).astype(np.int64)
    return (hour - 1) % CLOCK_SECTORS + 1


def _crest_places(place: TubePlace, folds: NDArray[np.int64]) -> dict[tuple[int, int], float]:
    """Arc length (mm) of each fold's crest in each clock sector it reaches."""
    members = np.flatnonzero(folds)
    keys = folds[members] * 100 + _clock(place)[members]
    names, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    sums = np.bincount(inverse, weights=place.along_mm[members])
    return {
        (int(name // 100), int(name % 100)): float(total / count)
        for name, total, count in zip(names, sums, counts, strict=True)
    }


@bare
def _add(
    first_seen: NDArray[np.int32],
    nearest_mm: NDArray[np.float32],
    best_cosine: NDArray[np.float32],
    number: int,
    seen: tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]],
) -> None:
    """Update the three with what was `seen`: faces, distances, cosines."""
    faces, distances, cosines = seen
    for i in range(len(faces)):
        face = faces[i]
        if first_seen[face] < 0:
            first_seen[face] = number
        if distances[i] < nearest_mm[face]:
            nearest_mm[face] = distances[i]
        if cosines[i] > best_cosine[face]:
            best_cosine[face] = cosines[i]
