"""How far a run is, and the learning rate and weights that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from train.recipe import OptimiserSettings, RealSettings


class Budget(Protocol):
    """How long a run may take: by steps, or else by the clock."""

    @property
    def minutes(self) -> float:
        """Of training."""
        ...

    @property
    def steps(self) -> int:
        """0 where the clock counts."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps done and seconds spent, over all resumed parts of a run."""

    step: int
    elapsed_s: float
    budget: Budget

    @property
    def fraction(self) -> float:
        """0 at the start, 1 at the end."""
        if self.budget.steps:
            return min(1.0, self.step / self.budget.steps)
        return min(1.0, self.elapsed_s / (60 * self.budget.minutes))

    @property
    def left_s(self) -> float:
        """Seconds left, as far as can be told."""
        if not self.budget.steps:
            return max(0.0, 60 * self.budget.minutes - self.elapsed_s)
        return self.elapsed_s / max(1, self.step) * (self.budget.steps - self.step)


def learning_rate(fraction: float, settings: OptimiserSettings) -> float:
    """Linear warm-up, then half a cosine down to one hundredth."""
    if fraction < settings.warm_up:
        return settings.learning_rate * max(0.02, fraction / settings.warm_up)
    part = (fraction - settings.warm_up) / max(1e-9, 1 - settings.warm_up)
    return settings.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))


def real_ramp(fraction: float, settings: RealSettings) -> float:
    """0 before `start`, then growing to 1 over `ramp`."""
    if not settings.use or fraction < settings.start:
        return 0.0
    if settings.ramp <= 0:
        return 1.0
    return min(1.0, 0.05 + (fraction - settings.start) / settings.ramp)


def averaging_decay(step: int, last: float) -> float:
    """Grows to its last value, so that early averages forget the random start."""
    return min(last, (1 + step) / (10 + step))
