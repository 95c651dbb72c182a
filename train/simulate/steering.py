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
from scipy.ndimage import convolve1d, minimum_filter1d
from scipy.spatial.transform import Rotation

from train.simulate.lumen import ROOM_MM, Complexes, Lumen, open_axis, shifted
from train.simulate.tube import Floats

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


def steer(course: Course, lumen: Lumen) -> NDArray[np.float64]:
    """Poses (n, 4, 4), camera to world, mm: x right, y down, z forward."""
    centre, frames = lumen.at(course.time_s, course.along_mm)
    start, share = _way_out(course, lumen)
    off_mm = start + _foreseen(share, course.time_s) * (course.off_mm - start)
    poses = np.tile(np.eye(4), (len(centre), 1, 1))
    poses[:, :3, :3] = frames @ bent(course.aim, course.roll)
    poses[:, :3, 3] = shifted(centre, frames, off_mm)
    return poses


def _way_out(course: Course, lumen: Lumen) -> tuple[Complexes, Floats]:
    """Where off the axis there is room (n,), and what share (n,) of the way on to where the tip is
    wanted is free."""
    start, share = np.zeros_like(course.off_mm), np.ones(len(course.time_s))
    for station in lumen.stations(course.time_s, course.along_mm):
        now = station.frames
        along = course.along_mm[now]
        place, side = open_axis(station.axis, station.wall, (along.min(), along.max()))
        here = np.interp(along, place, side)
        start[now] += station.weight * here
        way = course.off_mm[now] - here
        far_mm = np.maximum(np.abs(way), 1e-9)
        centre, frames = station.axis.at(along)
        direction = shifted(np.zeros_like(centre), frames, way / far_mm)
        reach_mm = station.wall.reach_mm(
            shifted(centre, frames, here), direction, far_mm, course.room_mm[now]
        )
        share[now] = np.minimum(share[now], reach_mm / far_mm)
    return start, share


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
