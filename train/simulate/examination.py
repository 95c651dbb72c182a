"""A colonoscopy as it is done: in, around the caecum, out with looks behind folds, retroflexion.

The plan is a list of waypoints (`train.simulate.steering`); each behaviour appends its own. Arc
length grows from the rectum to the caecum, and a withdrawing tip looks where it came from.

Where the numbers come from: a withdrawal of six to nine minutes over a colon of about 1.5 m
(guidelines: ASGE/ACG 2015, at least 6; ESGE 2019, 6, aspired 10) is 2.8 to 4.2 mm/s with all its
pauses, so the tip moves at 2 to 4 mm/s between them. A tip bends by 180° up and 160° to the side
(data sheets of current colonoscopes). Insertion pushes at 1 to 2 cm/s, loses ground when the shaft
loops, and is pulled back to straighten it (Shah et al. 2002, magnetic imaging). Speeds of bending
are ours, from looking at video.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.clearance import Wall
from train.simulate.rays import vertex_normals
from train.simulate.steering import ROOM_MM, Axis, Course, Phase, Waypoint, steer
from train.simulate.tube import Floats, Tube

WHOLE = "whole"
KINDS = (WHOLE, *(phase.value for phase in Phase))

FASTEST_MM_S = 25.0
"""Along the axis."""
FASTEST_BEND_RAD_S = 1.5
FASTEST_SHIFT_MM_S = 18.0
"""Across the axis."""
FASTEST_ROLL_RAD_S = 0.8
TOUCH_MM = 1.0
"""Between lens and wall where they touch: a lens has a window and a rim before it."""
WITHDRAWAL_MM_S = (2.0, 4.0)
INSERTION_MM_S = (10.0, 22.0)
_END_MM = 18.0
"""The tip stays this far from the two ends of the centreline."""
_CLIPS = {
    Phase.INSERTION: 0.2, Phase.CONTACT: 0.1, Phase.CAECUM: 0.05, Phase.WITHDRAWAL: 0.25,
    Phase.INSPECTION: 0.1, Phase.LOOK_BACK: 0.2, Phase.RETROFLEXION: 0.1,
}  # fmt: skip
"""How often a clip is of each kind: what is rare and hard is shown more than it lasts."""
_LEAD_S = 0.8
"""Of calm withdrawal before a clip of one phase comes to it."""


@dataclass(frozen=True, slots=True)
class ExaminationOptions:
    """What part of an examination to make."""

    kind: str = WHOLE
    """`whole`, or the name of a phase: a clip of it alone."""
    seconds: float | None = None
    """Length; a whole examination takes its time when None, a clip ten seconds."""
    start: float | None = None
    """Where a clip begins, as a share of the centreline; drawn when None."""
    rate_hz: float = 50.0
    look_backs: float = 0.3
    """Chance that the wall behind a fold is looked at, fold by fold."""

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        seconds: float,
        rate_hz: float,
        share: tuple[float, float] = (0.15, 0.85),
    ) -> ExaminationOptions:
        """A clip of any kind that begins within `share` of the centreline."""
        kind = str(rng.choice(list(_CLIPS), p=list(_CLIPS.values())))
        return cls(kind, seconds, float(rng.uniform(*share)), rate_hz)


@dataclass(frozen=True, slots=True)
class Examination:
    """A camera path; every array is (n, ...), one entry a frame."""

    kind: str
    """As asked for."""
    time_s: Floats
    phase: NDArray[np.uint8]
    """Index into `list(Phase)`."""
    along_mm: Floats
    """Arc length of the tip on the centreline, from the rectum."""
    poses: NDArray[np.float64]
    """(n, 4, 4) camera to world, mm: x right, y down, z forward."""


@dataclass(frozen=True, slots=True)
class FoldPlace:
    """Where the middle of a fold stands."""

    along_mm: float
    angle: float
    """Around the axis."""


def examination(
    tube: Tube, folds: NDArray[np.int64], rng: np.random.Generator, options: ExaminationOptions
) -> Examination:
    """Examine a colon, whose folds are given by vertex (n,), 0 for none.

    Raises:
        RecipeError: no such kind.
    """
    axis = Axis(tube.centreline)
    plan = _Plan(axis, tube, fold_places(axis, tube, folds), rng)
    plan.draw(options)
    longest_s = sum(each.seconds for each in plan.waypoints[1:])
    seconds = options.seconds or longest_s
    course = Course.through(plan.waypoints, max(1, round(seconds * options.rate_hz)),
                            options.rate_hz).unsteady(rng)  # fmt: skip
    poses = steer(course, axis, Wall(tube.vertices, vertex_normals(tube.vertices, tube.faces)))
    return Examination(options.kind, course.time_s, course.phase, course.along_mm, poses)


def fold_places(axis: Axis, tube: Tube, folds: NDArray[np.int64]) -> list[FoldPlace]:
    """The middle of every fold, from the rectum on."""
    members = np.flatnonzero(folds)
    along, across = axis.place(tube.vertices[members])
    names, index = np.unique(folds[members], return_inverse=True)
    count = np.bincount(index, minlength=len(names))
    middle = np.bincount(index, weights=along, minlength=len(names)) / np.maximum(count, 1)
    unit = across / np.maximum(np.abs(across), 1e-9)
    east = np.bincount(index, weights=unit.real, minlength=len(names))
    north = np.bincount(index, weights=unit.imag, minlength=len(names))
    places = zip(middle.tolist(), np.arctan2(north, east).tolist(), strict=True)
    return sorted((FoldPlace(*place) for place in places), key=lambda each: each.along_mm)


class _Plan:
    """Waypoints so far, and what can be done next."""

    def __init__(
        self, axis: Axis, tube: Tube, folds: list[FoldPlace], rng: np.random.Generator
    ) -> None:
        self._rng, self._folds = rng, folds
        self._first_mm = min(_END_MM, 0.3 * axis.length_mm)
        self._last_mm = axis.length_mm - self._first_mm
        arc = np.linspace(0, axis.length_mm, len(tube.radius))
        self._radius: Callable[[float], float] = lambda s: float(np.interp(s, arc, tube.radius))
        self.waypoints: list[Waypoint] = []

    @property
    def seconds(self) -> float:
        """Planned so far."""
        return sum(each.seconds for each in self.waypoints[1:])

    def draw(self, options: ExaminationOptions) -> None:
        """Fill the plan. Raises RecipeError for an unknown kind."""
        if options.kind not in KINDS:
            raise RecipeError(
                f"There is no kind of examination {options.kind!r}.", f"Use {', '.join(KINDS)}."
            )
        if options.kind == WHOLE:
            self._begin(self._first_mm, Phase.INSERTION)
            self.insert(self._last_mm)
            self.look_around_caecum()
            self.withdraw(self._rectum_mm(), options.look_backs)
            self.retroflex()
            self.withdraw(self._first_mm, 0.0)
            return
        wanted_s = options.seconds or 10.0
        self._begin(self._place(options), Phase(options.kind))
        while self.seconds < wanted_s:
            self._clip(Phase(options.kind), wanted_s)

    def _place(self, options: ExaminationOptions) -> float:
        """Where a clip begins, mm."""
        span = self._last_mm - self._first_mm
        share = options.start if options.start is not None else self._rng.uniform(0.15, 0.85)
        if options.kind == Phase.CAECUM:
            return max(self._first_mm, self._last_mm - 30.0)
        if options.kind == Phase.RETROFLEXION:
            return self._rectum_mm()
        place = self._first_mm + span * float(np.clip(share, 0, 1))
        if options.kind == Phase.LOOK_BACK and self._folds:
            nearest = min(self._folds, key=lambda fold: abs(fold.along_mm - place))
            place = nearest.along_mm - 6.0
        return float(np.clip(place, self._first_mm, self._last_mm))

    def _clip(self, phase: Phase, wanted_s: float) -> None:
        if phase is Phase.INSERTION:
            self.insert(self._last_mm, until_s=wanted_s)
            self.look_around_caecum()
        elif phase is Phase.CAECUM:
            self.look_around_caecum()
        elif phase is Phase.RETROFLEXION:
            self._calmly(_LEAD_S)
            self.retroflex()
        elif phase is Phase.WITHDRAWAL:
            self.withdraw(self._first_mm, 0.3, until_s=wanted_s)
            self.inspect()
        else:
            self._calmly(_LEAD_S)
            if phase is Phase.LOOK_BACK:
                self.look_back(self._fold_ahead())
            elif phase is Phase.CONTACT:
                self.touch(Phase.WITHDRAWAL)
            else:
                self.inspect()

    def _calmly(self, seconds: float) -> None:
        """Withdraw for a moment, where there is room to."""
        speed = self._rng.uniform(*WITHDRAWAL_MM_S)
        along = max(self._first_mm, self._here.along_mm - speed * seconds)
        self._go(Phase.WITHDRAWAL, seconds, along=along)

    # -- behaviours ---------------------------------------------------------------------------

    def insert(self, until_mm: float, until_s: float = np.inf) -> None:
        """Push on, now against the wall, now losing ground to a loop."""
        while self._here.along_mm < until_mm - 1 and self.seconds < until_s:
            ahead = min(self._here.along_mm + self._rng.uniform(12, 40), until_mm)
            pace = self._rng.uniform(*INSERTION_MM_S)
            self._go(
                Phase.INSERTION, (ahead - self._here.along_mm) / pace, along=ahead,
                aim=self._towards(0.05, 0.4), off=self._aside(0.0, 0.45),
            )  # fmt: skip
            chance = self._rng.random()
            if chance < 0.25:
                self.touch(Phase.INSERTION)
                self._pull_back()
            elif chance < 0.45:
                self._loop()
            elif chance < 0.7:
                self._go(Phase.INSERTION, self._rng.uniform(0.4, 1.2), aim=self._towards(0.1, 0.6))

    def _pull_back(self) -> None:
        back = max(self._first_mm, self._here.along_mm - self._rng.uniform(6, 16))
        pace = self._rng.uniform(8, 16)
        self._go(
            Phase.INSERTION, (self._here.along_mm - back) / pace, along=back,
            aim=self._towards(0.0, 0.15), off=0j,
        )  # fmt: skip

    def _loop(self) -> None:
        """The shaft is pushed and the tip slips back; then it is turned to straighten the loop."""
        slip = max(self._first_mm, self._here.along_mm - self._rng.uniform(3, 12))
        self._go(Phase.INSERTION, self._rng.uniform(0.8, 1.6), along=slip,
                 aim=self._towards(0.2, 0.5))  # fmt: skip
        turn = self._rng.choice([-1, 1]) * self._rng.uniform(0.5, 1.2)
        self._go(Phase.INSERTION, self._rng.uniform(1.5, 2.5), roll=self._here.roll + turn)

    def look_around_caecum(self) -> None:
        """Two slow rounds, the second from closer by."""
        for back_mm in (25.0, 8.0):
            along = max(self._first_mm, self._last_mm - back_mm)
            self._go(Phase.CAECUM, 1.5, along=along, off=self._aside(0.0, 0.3))
            self._circle(Phase.CAECUM, self._rng.uniform(0.5, 0.9), self._rng.uniform(4, 6))

    def withdraw(self, until_mm: float, look_backs: float, until_s: float = np.inf) -> None:
        """Back out slowly; stop to look around, and behind folds as they come into view."""
        for fold in self._until(until_mm):
            if self.seconds >= until_s:
                return
            before = max(until_mm, fold.along_mm - self._rng.uniform(5, 9))
            self._back_to(before)
            if self._rng.random() < look_backs:
                self.look_back(fold)
            elif self._rng.random() < 0.25:
                self.inspect()
            elif self._rng.random() < 0.1:
                self.touch(Phase.WITHDRAWAL)
        self._back_to(until_mm)

    def _until(self, until_mm: float) -> list[FoldPlace]:
        """Folds that a withdrawal to `until_mm` passes, in that order, those close by but once."""
        passed: list[FoldPlace] = []
        for fold in reversed(self._folds):
            is_ahead = until_mm < fold.along_mm < self._here.along_mm
            if is_ahead and (not passed or passed[-1].along_mm - fold.along_mm > 6.0):
                passed.append(fold)
        return passed

    def _back_to(self, along: float) -> None:
        """Withdraw in strokes of a centimetre or two."""
        while (way := self._here.along_mm - along) > 0.5:
            stroke = min(way, self._rng.uniform(8, 20))
            pace = self._rng.uniform(*WITHDRAWAL_MM_S)
            self._go(
                Phase.WITHDRAWAL, stroke / pace, along=self._here.along_mm - stroke,
                aim=self._towards(0.05, 0.35), off=self._aside(0.0, 0.3),
                roll=self._here.roll + self._rng.normal(0, 0.15),
            )  # fmt: skip

    def inspect(self) -> None:
        """Once around the wall."""
        self._circle(Phase.INSPECTION, self._rng.uniform(0.45, 0.8), self._rng.uniform(3, 5))

    def look_back(self, fold: FoldPlace) -> None:
        """Advance past a fold on the far side of the lumen, bend back to it, sweep, return."""
        home, at = self._here, fold.angle
        beyond = min(self._last_mm, fold.along_mm + self._rng.uniform(9, 13))
        aside = cmath.rect(-0.35 * self._radius(beyond), at)
        phase = Phase.LOOK_BACK
        self._go(phase, (beyond - home.along_mm) / 8.0, along=beyond, off=aside,
                 aim=cmath.rect(0.3, at))  # fmt: skip
        bend = self._rng.uniform(1.9, 2.35)
        sweep = self._rng.choice([-1, 1]) * self._rng.uniform(0.25, 0.5)
        for turn in (0.0, sweep, -sweep):
            self._go(phase, self._rng.uniform(0.7, 1.1), aim=cmath.rect(bend, at + turn))
        self._go(phase, 0.8, aim=cmath.rect(0.5, at))
        back = max(self._first_mm, fold.along_mm - 8.0)
        self._go(
            phase, (beyond - back) / 10.0, along=back, aim=cmath.rect(0.1, at), off=home.off_mm
        )

    def touch(self, after: Phase) -> None:
        """Run into the wall and come off it again."""
        at = self._rng.uniform(-np.pi, np.pi)
        aim = cmath.rect(self._rng.uniform(1.0, 1.5), at)
        aside = cmath.rect(1.1 * self._radius(self._here.along_mm), at)
        for seconds in (self._rng.uniform(0.8, 1.4), self._rng.uniform(0.4, 1.2)):
            self._go(Phase.CONTACT, seconds, aim=aim, off=aside, room=TOUCH_MM)
        self._go(after, self._rng.uniform(0.8, 1.2), aim=0.3 * aim, off=0.1 * aside, room=ROOM_MM)

    def retroflex(self) -> None:
        """Bend the tip right back in the rectum, turn the shaft, and straighten again."""
        at = self._rng.uniform(-np.pi, np.pi)
        phase, home = Phase.RETROFLEXION, self._rectum_mm()
        aside = 0.35 * self._radius(home)
        self._go(phase, 1.0, along=home, aim=cmath.rect(0.5, at), off=cmath.rect(-aside, at))
        bend = self._rng.uniform(2.7, 3.05)
        self._go(phase, 1.8, aim=cmath.rect(bend, at), off=cmath.rect(aside, at))
        turn = self._rng.choice([-1, 1]) * self._rng.uniform(1.5, 3.0)
        for share in np.linspace(0, 1, 7)[1:]:
            # To and fro a little: the tip rides on the shaft.
            along = max(self._first_mm, home + 5.0 * np.sin(2 * np.pi * share))
            here = at + turn * float(share)
            self._go(phase, abs(turn) / 6 / 0.45, along=along, aim=cmath.rect(bend, here),
                     off=cmath.rect(aside, here))  # fmt: skip
        self._go(phase, 2.0, along=home, aim=cmath.rect(0.2, at + turn), off=0j)

    def _circle(self, phase: Phase, bend: float, seconds: float) -> None:
        """Look around once, the tip bent by `bend`."""
        start, way = self._rng.uniform(-np.pi, np.pi), self._rng.choice([-1, 1])
        self._go(phase, 0.6, aim=cmath.rect(bend, start))
        for eighth in range(1, 9):
            angle = start + way * eighth * np.pi / 4
            self._go(phase, seconds / 8, aim=cmath.rect(bend, angle))

    # -- waypoints ----------------------------------------------------------------------------

    @property
    def _here(self) -> Waypoint:
        return self.waypoints[-1]

    def _begin(self, along_mm: float, phase: Phase) -> None:
        first = Phase.WITHDRAWAL if phase in (Phase.LOOK_BACK, Phase.CONTACT) else phase
        roll = self._rng.uniform(0, 2 * np.pi)
        self.waypoints = [
            Waypoint(first, 0.0, along_mm, self._towards(0, 0.2), self._off(along_mm, 0.2), roll)
        ]

    def _go(
        self, phase: Phase, seconds: float, *, along: float | None = None,
        aim: complex | None = None, off: complex | None = None,
        room: float | None = None, roll: float | None = None,
    ) -> None:  # fmt: skip
        """Append a waypoint; what is not told stays. It takes longer where the way is long."""
        here = self._here
        there = Waypoint(
            phase, 0.0,
            here.along_mm if along is None else along,
            here.aim if aim is None else aim,
            here.off_mm if off is None else off,
            here.roll if roll is None else roll,
            here.room_mm if room is None else room,
        )  # fmt: skip
        needed_s = max(
            seconds, 0.2,
            abs(there.along_mm - here.along_mm) / FASTEST_MM_S,
            abs(there.aim - here.aim) / FASTEST_BEND_RAD_S,
            abs(there.off_mm - here.off_mm) / FASTEST_SHIFT_MM_S,
            abs(there.roll - here.roll) / FASTEST_ROLL_RAD_S,
        )  # fmt: skip
        self.waypoints.append(
            Waypoint(phase, needed_s, there.along_mm, there.aim, there.off_mm, there.roll,
                     there.room_mm)
        )  # fmt: skip

    def _towards(self, least: float, most: float) -> complex:
        """A bend of the tip in any direction, rad."""
        return cmath.rect(self._rng.uniform(least, most), self._rng.uniform(-np.pi, np.pi))

    def _aside(self, least: float, most: float) -> complex:
        """A place beside the axis here, in shares of the radius, mm."""
        share = self._rng.uniform(least, most)
        return cmath.rect(
            share * self._radius(self._here.along_mm), self._rng.uniform(-np.pi, np.pi)
        )

    def _off(self, along_mm: float, most: float) -> complex:
        radius = self._radius(along_mm)
        return cmath.rect(self._rng.uniform(0, most) * radius, self._rng.uniform(-np.pi, np.pi))

    def _rectum_mm(self) -> float:
        """Where the tip is bent back: far enough in that the shaft has room below it."""
        return min(max(self._first_mm + 20.0, 45.0), 0.5 * (self._first_mm + self._last_mm))

    def _fold_ahead(self) -> FoldPlace:
        """The next fold towards the caecum, or a place where one could be."""
        ahead = [fold for fold in self._folds if fold.along_mm > self._here.along_mm + 2]
        if ahead:
            return ahead[0]
        return FoldPlace(self._here.along_mm + 6.0, float(self._rng.uniform(-np.pi, np.pi)))
