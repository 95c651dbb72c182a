"""From waypoints to the poses of the endoscope's tip: smooth, steady, clear of the wall.

A waypoint says how far in the tip is, how far off the axis, where it is bent to and how the shaft
is turned. Directions across the lumen are complex numbers: the modulus says how much, the angle
where to, around the axis from a direction that is carried along it without twist.

The tip leaves the axis as far as the waypoints ask and the wall allows. Where a fold will stand in
the way, the way out is shortened *before* it comes: the smallest share that is free within a
moment, smoothed over that moment, is never more than what is free now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import convolve1d, gaussian_filter1d, minimum_filter1d
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from train.simulate.clearance import Wall
from train.simulate.folds import carried_across
from train.simulate.tube import Floats

Complexes = NDArray[np.complex128]

ROOM_MM = 3.0
"""Between lens and wall, unless they are to touch: half of a tip 9 mm wide would be 4.5, but the
lens sits off its middle."""
_PLAN_HZ = 100.0
_EASE_S = 0.5
"""Over which a change of speed or of direction is spread."""
_FORESIGHT_S = 0.6
"""How long before an obstacle the tip begins to give way."""


class Phase(StrEnum):
    """What the endoscopist is doing."""

    INSERTION = "insertion"
    CONTACT = "contact"
    """The lens lies on the wall or almost: red-out."""
    CAECUM = "caecum"
    WITHDRAWAL = "withdrawal"
    INSPECTION = "inspection"
    """Standing still, looking around in a circle."""
    LOOK_BACK = "look-back"
    """Past a fold and bent back to the wall behind it."""
    RETROFLEXION = "retroflexion"


@dataclass(frozen=True, slots=True)
class Waypoint:
    """Where the tip is to be `seconds` after the waypoint before."""

    phase: Phase
    seconds: float
    along_mm: float
    """Arc length on the centreline."""
    aim: complex = 0j
    """Angle (rad) between view and axis."""
    off_mm: complex = 0j
    """From the axis."""
    roll: float = 0.0
    room_mm: float = ROOM_MM


@dataclass(frozen=True, slots=True)
class Unrest:
    """What no hand keeps still. Standard deviations; each is a sum of sines."""

    drift_rad: float = 0.05
    drift_mm: float = 0.8
    drift_hz: tuple[float, float] = (0.08, 0.5)
    tremor_rad: float = 0.0015
    tremor_mm: float = 0.03
    tremor_hz: tuple[float, float] = (8.0, 12.0)
    """Physiological tremor of the hand (Elble and Koller 1990)."""
    roll_rad: float = 0.06


class Axis:
    """The centreline as a smooth curve with directions across it that do not twist."""

    def __init__(self, line: Floats, knot_mm: float = 8.0, step_mm: float = 0.5) -> None:
        steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
        arc = np.concatenate([[0.0], np.cumsum(steps)])
        knots = np.linspace(0, arc[-1], max(4, round(arc[-1] / knot_mm) + 1))
        curve = CubicSpline(knots, np.stack([np.interp(knots, arc, x) for x in line.T], axis=1))
        self.length_mm = float(arc[-1])
        self._arc = np.linspace(0, arc[-1], max(8, round(arc[-1] / step_mm) + 1))
        tangent = curve(self._arc, 1)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        self._points = curve(self._arc)
        self._frames = np.stack([carried_across(tangent), tangent], axis=1)

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
class Course:
    """How the tip is steered, frame by frame; all (n,)."""

    time_s: Floats
    phase: NDArray[np.uint8]
    """Index into `list(Phase)`."""
    along_mm: Floats
    aim: Complexes
    off_mm: Complexes
    roll: Floats
    room_mm: Floats

    @classmethod
    def through(cls, waypoints: list[Waypoint], frames: int, rate_hz: float) -> Course:
        """Through the waypoints, corners rounded; it rests at the last one."""
        due_s = np.cumsum([0.0] + [each.seconds for each in waypoints[1:]])
        plan_s = np.arange(0, max(due_s[-1], frames / rate_hz) + 2 / _PLAN_HZ, 1 / _PLAN_HZ)
        time_s = np.arange(frames) / rate_hz
        ease = _hann(round(_EASE_S * _PLAN_HZ))

        def smooth(name: str) -> NDArray[np.complex128]:
            asked = np.array([complex(getattr(each, name)) for each in waypoints])
            straight = np.interp(plan_s, due_s, asked)
            eased = convolve1d(straight.real, ease, mode="nearest")
            eased = eased + 1j * convolve1d(straight.imag, ease, mode="nearest")
            return np.asarray(np.interp(time_s, plan_s, eased))

        names = list(Phase)
        phases = np.array([names.index(each.phase) for each in waypoints], np.uint8)
        towards = np.clip(np.searchsorted(due_s, time_s, side="right"), 0, len(waypoints) - 1)
        return cls(
            time_s, phases[towards], smooth("along_mm").real, smooth("aim"), smooth("off_mm"),
            smooth("roll").real, smooth("room_mm").real,
        )  # fmt: skip

    def unsteady(self, rng: np.random.Generator, unrest: Unrest = Unrest()) -> Course:
        """With slow drift and tremor."""
        drift = _sines(rng, self.time_s, unrest.drift_hz, 5)
        tremor = _sines(rng, self.time_s, unrest.tremor_hz, 4)
        moved = unrest.drift_rad * drift + unrest.tremor_rad * tremor[:, [0, 1, 2, 3, 3]]
        pushed = unrest.drift_mm * drift + unrest.tremor_mm * tremor[:, [0, 1, 2, 3, 3]]
        return Course(
            self.time_s, self.phase, self.along_mm,
            self.aim + moved[:, 0] + 1j * moved[:, 1],
            self.off_mm + pushed[:, 2] + 1j * pushed[:, 3],
            self.roll + unrest.roll_rad * drift[:, 4], self.room_mm,
        )  # fmt: skip


def _hann(half: int) -> Floats:
    """Smooth weights (2 half + 1,) that sum to one."""
    weights = np.hanning(2 * half + 3)[1:-1]
    return np.asarray(weights / weights.sum())


def _sines(
    rng: np.random.Generator, time_s: Floats, band_hz: tuple[float, float], channels: int
) -> Floats:
    """(n, channels) of unit variance; the same at any frame rate."""
    waves = 5
    rate = rng.uniform(*band_hz, (waves, channels))
    phase = rng.uniform(0, 2 * np.pi, (waves, channels))
    angle = 2 * np.pi * rate * time_s[:, None, None] + phase
    return np.asarray(np.sin(angle).sum(axis=1) * np.sqrt(2 / waves))


def open_axis(axis: Axis, wall: Wall, step_mm: float = 1.0) -> tuple[Floats, Complexes]:
    """Arc lengths (k,) and the way (k,) from the axis there to where the tip has room.

    The centreline of a lumen without folds can run through a tall fold or a polyp on a stalk.
    """
    along = np.arange(0, axis.length_mm + step_mm / 2, step_mm)
    centre, frames = axis.at(along)
    side = np.zeros(len(along), np.complex128)
    for _ in range(40):
        gap, away = wall.gap_mm(_shifted(centre, frames, side))
        lacking = np.maximum(ROOM_MM + 0.5 - gap, 0)
        if not lacking[10:-10].any():
            break
        push = np.einsum("nc,nck->nk", away, frames[:, :, :2]) * lacking[:, None]
        push = gaussian_filter1d(push, 3.0 / step_mm, axis=0)
        side += push[:, 0] + 1j * push[:, 1]
    return along, side


def _shifted(centre: Floats, frames: Floats, off_mm: Complexes) -> Floats:
    return np.asarray(
        centre + off_mm.real[:, None] * frames[:, :, 0] + off_mm.imag[:, None] * frames[:, :, 1]
    )


def steer(course: Course, axis: Axis, wall: Wall) -> NDArray[np.float64]:
    """Poses (n, 4, 4), camera to world, mm: x right, y down, z forward."""
    centre, frames = axis.at(course.along_mm)
    open_at, open_side = open_axis(axis, wall)
    start = np.interp(course.along_mm, open_at, open_side)
    way = course.off_mm - start
    far_mm = np.abs(way)
    unit = way / np.maximum(far_mm, 1e-9)
    spine = _shifted(centre, frames, start)
    direction = _shifted(np.zeros_like(centre), frames, unit)
    free = wall.reach_mm(spine, direction, far_mm, course.room_mm) / np.maximum(far_mm, 1e-9)
    share = _foreseen(np.where(far_mm > 1e-9, free, 1.0), course.time_s)

    poses = np.tile(np.eye(4), (len(centre), 1, 1))
    poses[:, :3, :3] = frames @ bent(course.aim, course.roll)
    poses[:, :3, 3] = spine + (share * far_mm)[:, None] * direction
    return poses


def _foreseen(free: Floats, time_s: Floats) -> Floats:
    """The largest smooth curve by this rule that is nowhere above `free` (n,)."""
    step_s = time_s[1] - time_s[0] if len(time_s) > 1 else 1.0
    half = max(1, round(_FORESIGHT_S / step_s))
    lowest = minimum_filter1d(free, 2 * half + 1, mode="nearest")
    return np.asarray(convolve1d(lowest, _hann(half), mode="nearest"))


def bent(aim: Complexes, roll: Floats) -> Floats:
    """Rotations (n, 3, 3) of a tip that looks along z: bent towards `aim`, turned by `roll`.

    A bending tip does not twist: it turns about the direction across its bend.
    """
    across = np.stack([-aim.imag, aim.real, np.zeros(len(aim))], axis=1)
    about = np.stack([np.zeros_like(roll), np.zeros_like(roll), roll], axis=1)
    turned = Rotation.from_rotvec(across) * Rotation.from_rotvec(about)
    return np.asarray(turned.as_matrix())
