"""Fold spacing, height, width and span, and lumen radius: measured alike on any colon.

The wall is unrolled by rays across the centreline: distance by arc length and angle. In every
sector of the clock, what stands out of the wall around it is a peak; peaks of neighbouring
sectors at one place are one fold.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d, grey_closing, median_filter
from scipy.signal import find_peaks, peak_widths

from train.simulate.centreline import space_evenly
from train.simulate.folds import carried_frames
from train.simulate.tube import Floats, Tube

SECTORS = 72
"""Rays around the centreline, every 5°."""
_STEP_MM = 1.0
_WIDEST_MM = 25.0
"""Along the colon: what is wider and stands out is a constriction, no fold."""
_LOWEST_MM = 2.0
_NARROWEST = 5
"""Sectors; less is noise of a mesh or a polyp."""
_FARTHEST_MM = 60.0


@dataclass(frozen=True, slots=True)
class Morphometry:
    """What was measured, each (n,)."""

    spacing_mm: Floats
    """From crest to crest along one sector of the clock."""
    height_mm: Floats
    """Of a fold where it is highest, above the wall on both sides."""
    width_mm: Floats
    """Of a fold along the colon, at half its height."""
    span: Floats
    """Part of the circumference over which a fold has at least half its height."""
    radius_mm: Floats
    """Of the circle with the area of the lumen's cross-section, every 5 mm."""

    @classmethod
    def joined(cls, parts: list[Morphometry]) -> Morphometry:
        """Several colons as one sample."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class _Peak:
    """The crest of a fold in one sector."""

    row: int
    sector: int
    height_mm: float
    width_mm: float


def measure(tube: Tube, share: tuple[float, float] = (0.0, 1.0)) -> Morphometry:
    """Measure a colon between two shares of its centreline."""
    distance = unroll(tube, share)
    wall = grey_closing(distance, size=(round(_WIDEST_MM / _STEP_MM), 1))
    height = gaussian_filter1d(wall, 2.0 / _STEP_MM, axis=0, mode="nearest") - distance
    by_sector = [_peaks(height[:, sector], sector) for sector in range(SECTORS)]
    gaps = [np.diff([peak.row for peak in peaks]) * _STEP_MM for peaks in by_sector]
    folds = [fold for fold in _link(by_sector) if len(fold) >= _NARROWEST]
    tops = [max(fold, key=lambda peak: peak.height_mm) for fold in folds]
    return Morphometry(
        spacing_mm=np.concatenate(gaps).astype(np.float64),
        height_mm=np.array([top.height_mm for top in tops]),
        width_mm=np.array([top.width_mm for top in tops]),
        span=np.array([_span(fold) for fold in folds]),
        radius_mm=np.sqrt(np.mean(distance[::5] ** 2, axis=1)),
    )


def unroll(tube: Tube, share: tuple[float, float] = (0.0, 1.0)) -> Floats:
    """Distance (rows, `SECTORS`) mm from the centreline to the wall, across it, every mm."""
    points = gaussian_filter1d(tube.centreline, 4.0, axis=0, mode="nearest")
    line = space_evenly(points, _STEP_MM)
    _, u, v = carried_frames(line)
    rows = slice(round(share[0] * len(line)), round(share[1] * len(line)))
    angle = np.arange(SECTORS) * 2 * np.pi / SECTORS
    rays = np.cos(angle)[:, None] * u[rows, None] + np.sin(angle)[:, None] * v[rows, None]
    origins = np.repeat(line[rows], SECTORS, axis=0).astype(np.float32)
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, tube.vertices.astype(np.float32), tube.faces.astype(np.int32))
    hit = scene.run(origins, rays.reshape(-1, 3).astype(np.float32), output=1)
    found = np.where(hit["primID"] >= 0, hit["tfar"], _FARTHEST_MM)
    distance = np.minimum(found, _FARTHEST_MM).reshape(-1, SECTORS).astype(np.float64)
    # A ray through a hole, or along a cleft, says nothing of its place; its neighbours around do.
    around = np.pad(distance, ((0, 0), (1, 1)), mode="wrap")
    distance = median_filter(around, size=(1, 3), mode="nearest")[:, 1:-1]
    return np.asarray(gaussian_filter(distance, (0.5, 0.7), mode=("nearest", "wrap")))


def _peaks(height: Floats, sector: int) -> list[_Peak]:
    rows, found = find_peaks(height, height=_LOWEST_MM, prominence=0.75 * _LOWEST_MM, distance=4)
    widths = peak_widths(height, rows, rel_height=0.5)[0] * _STEP_MM
    return [
        _Peak(int(row), sector, float(tall), float(width))
        for row, tall, width in zip(rows, found["peak_heights"], widths, strict=True)
    ]


def _link(by_sector: list[list[_Peak]]) -> list[list[_Peak]]:
    """Peaks of neighbouring sectors at most 3 mm apart belong together."""
    peaks = [peak for sector in by_sector for peak in sector]
    parent = list(range(len(peaks)))
    starts = np.concatenate([[0], np.cumsum([len(sector) for sector in by_sector])])

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for sector, own in enumerate(by_sector):
        other = (sector + 1) % SECTORS
        if not own or not by_sector[other]:
            continue
        rows = np.array([peak.row for peak in by_sector[other]])
        for i, peak in enumerate(own):
            nearest = int(np.argmin(np.abs(rows - peak.row)))
            if abs(int(rows[nearest]) - peak.row) * _STEP_MM <= 3.0:
                parent[root(int(starts[sector]) + i)] = root(int(starts[other]) + nearest)
    groups: dict[int, list[_Peak]] = {}
    for i, peak in enumerate(peaks):
        groups.setdefault(root(i), []).append(peak)
    return list(groups.values())


def _span(fold: list[_Peak]) -> float:
    """From the highest sector to both sides, as long as half the height is reached."""
    height: NDArray[np.float64] = np.zeros(SECTORS)
    for peak in fold:
        height[peak.sector] = max(height[peak.sector], peak.height_mm)
    top = int(np.argmax(height))
    tall = np.roll(height >= 0.5 * height[top], -top)
    if tall.all():
        return 1.0
    ahead = int(np.argmin(tall))
    behind = int(np.argmin(tall[::-1]))
    return (ahead + behind) / SECTORS


def quantiles(sample: Floats) -> Floats:
    """5, 25, 50, 75 and 95 %; NaN of an empty sample."""
    if not len(sample):
        return np.full(5, np.nan)
    return np.asarray(np.quantile(sample, [0.05, 0.25, 0.5, 0.75, 0.95]))
