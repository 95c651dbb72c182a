"""What an endoscopist does with the tip, one manoeuvre after another, as waypoints.

Where the numbers come from: a withdrawal of six to nine minutes over a colon of about 1.5 m
(guidelines ask for six at least: Rex et al. 2015, Kaminski et al. 2017) is 2.8 to 4.2 mm/s with all
its pauses, so the tip moves at 2 to 4 mm/s between them. A tip bends by 180° up and 160° to the
side (data sheets of current colonoscopes). Insertion pushes at 1 to 2 cm/s, loses ground when the
shaft loops, and is pulled back to straighten it (Shah et al. 2002, magnetic imaging). Speeds of
bending are ours, from looking at video.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from train.simulate.lumen import ROOM_MM, Lumen
from train.simulate.steering import Phase, Waypoint
from train.simulate.tube import Floats

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


@dataclass(frozen=True, slots=True)
class FoldPlace:
    """Where the middle of a fold stands."""

    along_mm: float
    angle: float
    """Around the axis."""


class Plan:
    """Waypoints so far, and what can be done next."""

    def __init__(
        self, lumen: Lumen, radius: Floats, folds: list[FoldPlace], rng: np.random.Generator
    ) -> None:
        self._rng = rng
        self.folds = folds
        self.first_mm, self.last_mm = lumen.passable_mm(_END_MM)
        arc = np.linspace(0, lumen.axis.length_mm, len(radius))
        self._radius: Callable[[float], float] = lambda s: float(np.interp(s, arc, radius))
        self.waypoints: list[Waypoint] = []

    @property
    def seconds(self) -> float:
        """Planned so far."""
        return sum(each.seconds for each in self.waypoints[1:])

    @property
    def here(self) -> Waypoint:
        """The last waypoint."""
        return self.waypoints[-1]

    @property
    def rectum_mm(self) -> float:
        """Where the tip is bent back: far enough in that the shaft has room below it."""
        return min(max(self.first_mm + 20.0, 45.0), 0.5 * (self.first_mm + self.last_mm))

    def fold_ahead(self) -> FoldPlace:
        """The next fold towards the caecum, or a place where one could be."""
        ahead = [fold for fold in self.folds if fold.along_mm > self.here.along_mm + 2]
        if ahead:
            return ahead[0]
        return FoldPlace(self.here.along_mm + 6.0, float(self._rng.uniform(-np.pi, np.pi)))

    def begin(self, along_mm: float) -> None:
        """The first waypoint."""
        roll = self._rng.uniform(0, 2 * np.pi)
        aim = self._towards(0.0, 0.2)
        self.waypoints = [Waypoint(Phase.WITHDRAWAL, 0.0, along_mm, aim, roll=roll)]

    # -- manoeuvres ---------------------------------------------------------------------------

    def calmly(self, seconds: float) -> None:
        """Withdraw for a moment, where there is room to."""
        speed = self._rng.uniform(*WITHDRAWAL_MM_S)
        along = max(self.first_mm, self.here.along_mm - speed * seconds)
        self._go(Phase.WITHDRAWAL, seconds, along=along)

    def insert(self, until_mm: float, until_s: float = np.inf) -> None:
        """Push on, now against the wall, now losing ground to a loop."""
        while self.here.along_mm < until_mm - 1 and self.seconds < until_s:
            ahead = min(self.here.along_mm + self._rng.uniform(12, 40), until_mm)
            pace = self._rng.uniform(*INSERTION_MM_S)
            self._go(
                Phase.INSERTION, (ahead - self.here.along_mm) / pace, along=ahead,
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
        back = max(self.first_mm, self.here.along_mm - self._rng.uniform(6, 16))
        pace = self._rng.uniform(8, 16)
        self._go(
            Phase.INSERTION, (self.here.along_mm - back) / pace, along=back,
            aim=self._towards(0.0, 0.15), off=0j,
        )  # fmt: skip

    def _loop(self) -> None:
        """The shaft is pushed and the tip slips back; then it is turned to straighten the loop."""
        slip = max(self.first_mm, self.here.along_mm - self._rng.uniform(3, 12))
        self._go(Phase.INSERTION, self._rng.uniform(0.8, 1.6), along=slip,
                 aim=self._towards(0.2, 0.5))  # fmt: skip
        turn = self._rng.choice([-1, 1]) * self._rng.uniform(0.5, 1.2)
        self._go(Phase.INSERTION, self._rng.uniform(1.5, 2.5), roll=self.here.roll + turn)

    def look_around_caecum(self) -> None:
        """Two slow rounds, the second from closer by."""
        for back_mm in (25.0, 8.0):
            along = max(self.first_mm, self.last_mm - back_mm)
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
        for fold in reversed(self.folds):
            is_ahead = until_mm < fold.along_mm < self.here.along_mm
            if is_ahead and (not passed or passed[-1].along_mm - fold.along_mm > 6.0):
                passed.append(fold)
        return passed

    def _back_to(self, along: float) -> None:
        """Withdraw in strokes of a centimetre or two."""
        while (way := self.here.along_mm - along) > 0.5:
            stroke = min(way, self._rng.uniform(8, 20))
            pace = self._rng.uniform(*WITHDRAWAL_MM_S)
            self._go(
                Phase.WITHDRAWAL, stroke / pace, along=self.here.along_mm - stroke,
                aim=self._towards(0.05, 0.35), off=self._aside(0.0, 0.3),
                roll=self.here.roll + self._rng.normal(0, 0.15),
            )  # fmt: skip

    def inspect(self) -> None:
        """Once around the wall."""
        self._circle(Phase.INSPECTION, self._rng.uniform(0.45, 0.8), self._rng.uniform(3, 5))

    def look_back(self, fold: FoldPlace) -> None:
        """Advance past a fold on the far side of the lumen, bend back to it, sweep, return."""
        home, at = self.here, fold.angle
        beyond = min(self.last_mm, fold.along_mm + self._rng.uniform(9, 13))
        aside = cmath.rect(-0.35 * self._radius(beyond), at)
        phase = Phase.LOOK_BACK
        self._go(phase, (beyond - home.along_mm) / 8.0, along=beyond, off=aside,
                 aim=cmath.rect(0.3, at))  # fmt: skip
        bend = self._rng.uniform(1.9, 2.35)
        sweep = self._rng.choice([-1, 1]) * self._rng.uniform(0.25, 0.5)
        for turn in (0.0, sweep, -sweep):
            self._go(phase, self._rng.uniform(0.7, 1.1), aim=cmath.rect(bend, at + turn))
        self._go(phase, 0.8, aim=cmath.rect(0.5, at))
        back = max(self.first_mm, fold.along_mm - 8.0)
        self._go(
            phase, (beyond - back) / 10.0, along=back, aim=cmath.rect(0.1, at), off=home.off_mm
        )

    def touch(self, after: Phase) -> None:
        """Run into the wall and come off it again."""
        at = self._rng.uniform(-np.pi, np.pi)
        aim = cmath.rect(self._rng.uniform(1.0, 1.5), at)
        aside = cmath.rect(1.1 * self._radius(self.here.along_mm), at)
        for seconds in (self._rng.uniform(0.8, 1.4), self._rng.uniform(0.4, 1.2)):
            self._go(Phase.CONTACT, seconds, aim=aim, off=aside, room=TOUCH_MM)
        self._go(after, self._rng.uniform(0.8, 1.2), aim=0.3 * aim, off=0.1 * aside, room=ROOM_MM)

    def retroflex(self) -> None:
        """Bend the tip right back in the rectum, turn the shaft, and straighten again."""
        at = self._rng.uniform(-np.pi, np.pi)
        phase, home = Phase.RETROFLEXION, self.rectum_mm
        aside = 0.35 * self._radius(home)
        self._go(phase, 1.0, along=home, aim=cmath.rect(0.5, at), off=cmath.rect(-aside, at))
        bend = self._rng.uniform(2.7, 3.05)
        self._go(phase, 1.8, aim=cmath.rect(bend, at), off=cmath.rect(aside, at))
        turn = self._rng.choice([-1, 1]) * self._rng.uniform(1.5, 3.0)
        for share in np.linspace(0, 1, 7)[1:]:
            # To and fro a little: the tip rides on the shaft.
            along = max(self.first_mm, home + 5.0 * np.sin(2 * np.pi * share))
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

    def _go(
        self, phase: Phase, seconds: float, *, along: float | None = None,
        aim: complex | None = None, off: complex | None = None,
        room: float | None = None, roll: float | None = None,
    ) -> None:  # fmt: skip
        """Append a waypoint; what is not told stays. It takes longer where the way is long."""
        here = self.here
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
            share * self._radius(self.here.along_mm), self._rng.uniform(-np.pi, np.pi)
        )
