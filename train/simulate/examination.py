"""A colonoscopy as it is done: in, around the caecum, out with looks behind folds, retroflexion.

The plan is a list of waypoints (`train.simulate.manoeuvres`); each manoeuvre appends its own. Arc
length grows from the rectum to the caecum, and a withdrawing tip looks where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.lumen import Axis, Lumen, Moving
from train.simulate.manoeuvres import FoldPlace, Plan
from train.simulate.steering import Course, Phase, steer
from train.simulate.tube import Floats, Segment, Tube

WHOLE = "whole"
KINDS = (WHOLE, *(phase.value for phase in Phase))

_CLIPS = {
    Phase.INSERTION: 0.2, Phase.CONTACT: 0.1, Phase.CAECUM: 0.05, Phase.WITHDRAWAL: 0.25,
    Phase.INSPECTION: 0.1, Phase.LOOK_BACK: 0.2, Phase.RETROFLEXION: 0.1,
}  # fmt: skip
"""How often a clip is of each kind: what is rare and hard is shown more than it lasts."""
SEGMENT_OF = {Phase.CAECUM: Segment.CAECUM, Phase.RETROFLEXION: Segment.RECTUM}
"""Where a phase can take place."""
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
        share: tuple[float, float],
        tube: Tube,
    ) -> ExaminationOptions:
        """A clip of any kind there can be, that begins within `share` of the centreline."""
        chances = {phase: chance for phase, chance in _CLIPS.items() if can_be(phase, tube)}
        weights = np.array(list(chances.values()))
        kind = str(rng.choice(list(chances), p=weights / weights.sum()))
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


def examination(
    tube: Tube,
    folds: NDArray[np.int64],
    rng: np.random.Generator,
    options: ExaminationOptions,
    motion: Moving | None = None,
) -> Examination:
    """Examine a colon, whose folds are given by vertex (n,), 0 for none, at rest or in motion.

    Raises:
        RecipeError: no such kind.
    """
    if options.kind not in KINDS:
        raise RecipeError(
            f"There is no kind of examination {options.kind!r}.", f"Use {', '.join(KINDS)}."
        )
    lumen = Lumen(tube, motion)
    plan = Plan(lumen, tube.radius, fold_places(lumen.axis, tube, folds), rng)
    _draw(plan, options, rng, tube)
    frames = max(1, round((options.seconds or plan.seconds) * options.rate_hz))
    course = Course.through(plan.waypoints, frames, options.rate_hz).unsteady(rng)
    poses = steer(course, lumen)
    return Examination(options.kind, course.time_s, course.phase, course.along_mm, poses)


def can_be(phase: Phase, tube: Tube) -> bool:
    """Whether a tube has the segment that belongs to a phase; one without segments has all."""
    needed = SEGMENT_OF.get(phase)
    here = {span.segment for span in tube.segments}
    return needed is None or not here or needed in here


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


def _draw(plan: Plan, options: ExaminationOptions, rng: np.random.Generator, tube: Tube) -> None:
    """Fill the plan with a whole examination, or with one phase again and again."""
    if options.kind == WHOLE:
        plan.begin(plan.first_mm)
        plan.insert(plan.last_mm)
        if can_be(Phase.CAECUM, tube):
            plan.look_around_caecum()
        plan.withdraw(plan.rectum_mm, options.look_backs)
        if can_be(Phase.RETROFLEXION, tube):
            plan.retroflex()
        plan.withdraw(plan.first_mm, 0.0)
        return
    phase, wanted_s = Phase(options.kind), options.seconds or 10.0
    plan.begin(_beginning(plan, options, rng))
    while plan.seconds < wanted_s:
        _once_more(plan, phase, wanted_s)


def _beginning(plan: Plan, options: ExaminationOptions, rng: np.random.Generator) -> float:
    """Where a clip of one phase begins, mm."""
    share = options.start if options.start is not None else rng.uniform(0.15, 0.85)
    if options.kind == Phase.CAECUM:
        return max(plan.first_mm, plan.last_mm - 30.0)
    if options.kind == Phase.RETROFLEXION:
        return plan.rectum_mm
    place = plan.first_mm + (plan.last_mm - plan.first_mm) * share
    if options.kind == Phase.LOOK_BACK and plan.folds:
        place = min((fold.along_mm for fold in plan.folds), key=lambda at: abs(at - place)) - 6.0
    return float(np.clip(place, plan.first_mm, plan.last_mm))


def _once_more(plan: Plan, phase: Phase, wanted_s: float) -> None:
    """What a clip of one phase repeats."""
    if phase is Phase.INSERTION:
        plan.insert(plan.last_mm, until_s=wanted_s)
        plan.look_around_caecum()
        return
    if phase is Phase.CAECUM:
        plan.look_around_caecum()
        return
    if phase is Phase.WITHDRAWAL:
        plan.withdraw(plan.first_mm, 0.3, until_s=wanted_s)
        plan.inspect()
        return
    plan.calmly(_LEAD_S)
    if phase is Phase.LOOK_BACK:
        plan.look_back(plan.fold_ahead())
    elif phase is Phase.CONTACT:
        plan.touch(Phase.WITHDRAWAL)
    elif phase is Phase.RETROFLEXION:
        plan.retroflex()
    else:
        plan.inspect()
