"""The lumen as the tip travels it: its axis, how far its wall is, and how both move in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from train.simulate.clearance import Wall
from train.simulate.folds import carried_across
from train.simulate.tube import Floats, Tube

Complexes = NDArray[np.complex128]

ROOM_MM = 3.0
"""Between lens and wall, unless they are to touch: half of a tip 9 mm wide would be 4.5, but the
lens sits off its middle."""
_KNOT_MM = 8.0
_STEP_MM = 0.5
_STATION_S = 0.25
"""How often the wall of a moving colon is looked up: it breathes and clenches over seconds."""
_APART_MM = 6.0
_NARROW_MM = 2.0
"""A tip does not go where the wall is nearer than this on all sides."""
_NEAR_MM = 45.0
"""Wall farther along the axis than this is in nobody's way."""


class Moving(Protocol):
    """A colon that breathes and clenches; its vertices keep their numbers."""

    def vertices(self, time_s: float) -> Floats:
        """(n, 3) mm."""
        ...

    def centreline(self, time_s: float) -> Floats:
        """(k, 3) mm."""
        ...


class Axis:
    """The centreline as a smooth curve with directions across it that do not twist."""

    def __init__(self, line: Floats, like: Axis | None = None) -> None:
        """Through points (k, 3) mm; directions across start out as those of `like`."""
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        arc = np.concatenate([[0.0], np.cumsum(steps)])
        knots = np.linspace(0, arc[-1], max(4, round(arc[-1] / _KNOT_MM) + 1))
        curve = CubicSpline(knots, np.stack([np.interp(knots, arc, x) for x in line.T], axis=1))
        self.length_mm = float(arc[-1])
        self._arc = np.linspace(0, arc[-1], max(8, round(arc[-1] / _STEP_MM) + 1))
        tangent = curve(self._arc, 1)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        self._points = curve(self._arc)
        start = None if like is None else like._frames[0, 0]
        self._frames: Floats = np.stack([carried_across(tangent, start), tangent], axis=1)

    def at(self, along_mm: Floats) -> tuple[Floats, Floats]:
        """Points (n, 3), and frames (n, 3, 3) whose columns are two directions across and the
        one along."""
        place = np.clip(along_mm, 0, self.length_mm)
        centre = _between(self._arc, self._points, place)
        u, tangent = np.moveaxis(_between(self._arc, self._frames, place), 1, 0)
        tangent = tangent / np.linalg.norm(tangent, axis=1, keepdims=True)
        u = u - np.sum(u * tangent, axis=1, keepdims=True) * tangent
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        return centre, np.stack([u, np.cross(tangent, u), tangent], axis=2)

    def place(self, points: Floats) -> tuple[Floats, Complexes]:
        """Arc length (n,) of the nearest point of the axis, and the way from there across (n,)."""
        along = self._arc[cKDTree(self._points).query(points)[1]]
        centre, frames = self.at(along)
        across = np.einsum("nc,nck->nk", points - centre, frames[:, :, :2])
        return along, across[:, 0] + 1j * across[:, 1]


def _between(arc: Floats, values: Floats, place: Floats) -> Floats:
    """Linear interpolation of values (k, ...) at `arc` (k,), evenly spaced."""
    position = place / arc[1]
    low = np.clip(position.astype(np.int64), 0, len(arc) - 2)
    part = (position - low).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[low] * (1 - part) + values[low + 1] * part)


@dataclass(frozen=True, slots=True)
class Station:
    """The lumen at one time, for the frames about then."""

    frames: NDArray[np.int64]
    """(m,)."""
    weight: Floats
    """(m,) of this station for those frames; over all stations they add up to one."""
    axis: Axis
    wall: Wall


class Lumen:
    """Axis and wall of a tube, at rest or in motion."""

    def __init__(self, tube: Tube, motion: Moving | None = None) -> None:
        self._tube, self._motion = tube, motion
        self.axis = Axis(tube.centreline)
        """At rest."""

    def at(self, time_s: Floats, along_mm: Floats) -> tuple[Floats, Floats]:
        """As `Axis.at`, each place (n,) at its own time."""
        if self._motion is None:
            return self.axis.at(along_mm)
        found = [self._axis(float(time)).at(along_mm[i : i + 1]) for i, time in enumerate(time_s)]
        centre, frames = zip(*found, strict=True)
        return np.concatenate(centre), np.concatenate(frames)

    def passable_mm(self, end_mm: float) -> tuple[float, float]:
        """The longest way (arc lengths) at rest on which a tip has room, `end_mm` from the ends.

        Scans can end in a cleft, or hold a fold torn in segmentation across the axis.
        """
        end_mm = min(end_mm, 0.3 * self.axis.length_mm)
        wall = Wall(self._tube.vertices, self._tube.faces)
        along, side = open_axis(self.axis, wall, (end_mm, self.axis.length_mm - end_mm))
        centre, frames = self.axis.at(along)
        is_open = wall.gap_mm(shifted(centre, frames, side))[0] > _NARROW_MM
        is_open &= (along >= end_mm) & (along <= self.axis.length_mm - end_mm)
        runs = np.split(np.arange(len(along)), np.flatnonzero(np.diff(is_open)) + 1)
        longest = max((run for run in runs if is_open[run[0]]), key=len, default=runs[0])
        return float(along[longest[0]]), float(along[longest[-1]])

    def stations(self, time_s: Floats, along_mm: Floats) -> Iterator[Station]:
        """The lumen as it is every quarter of a second; one station for all if it rests."""
        if self._motion is None:
            every = np.arange(len(time_s))
            wall = Wall(self._tube.vertices, self._tube.faces)
            yield Station(every, np.ones(len(every)), self.axis, wall)
            return
        rest_mm = self.axis.place(self._tube.vertices)[0]
        for number in range(int(time_s[-1] / _STATION_S) + 2):
            weight = 1 - np.abs(time_s / _STATION_S - number)
            frames = np.flatnonzero(weight > 0)
            if not len(frames):
                continue
            here = along_mm[frames]
            near = (rest_mm > here.min() - _NEAR_MM) & (rest_mm < here.max() + _NEAR_MM)
            faces = self._tube.faces[near[self._tube.faces].all(axis=1)]
            wall = Wall(self._motion.vertices(number * _STATION_S), faces)
            yield Station(frames, weight[frames], self._axis(number * _STATION_S), wall)

    def _axis(self, time_s: float) -> Axis:
        assert self._motion is not None
        return Axis(self._motion.centreline(time_s), like=self.axis)


def open_axis(
    axis: Axis, wall: Wall, along_mm: tuple[float, float], step_mm: float = 1.0
) -> tuple[Floats, Complexes]:
    """Arc lengths (k,) around those of a way, and how far (k,) off the axis the tip has room there.

    The centreline of a lumen without folds can run through a tall fold or a polyp on a stalk.
    """
    along = np.arange(along_mm[0] - _APART_MM, along_mm[1] + _APART_MM, step_mm)
    centre, frames = axis.at(along)
    side = np.zeros(len(along), np.complex128)
    for _ in range(40):
        gap, away = wall.gap_mm(shifted(centre, frames, side))
        lacking = np.maximum(ROOM_MM + 0.5 - gap, 0)
        if not lacking.any():
            break
        push = np.einsum("nc,nck->nk", away, frames[:, :, :2]) * lacking[:, None]
        push = gaussian_filter1d(push, 3.0 / step_mm, axis=0)
        side += push[:, 0] + 1j * push[:, 1]
    return along, side


def shifted(centre: Floats, frames: Floats, off_mm: Complexes) -> Floats:
    """Points (n, 3) that lie `off_mm` (n,) across the axis from `centre` (n, 3)."""
    return np.asarray(
        centre + off_mm.real[:, None] * frames[:, :, 0] + off_mm.imag[:, None] * frames[:, :, 1]
    )
