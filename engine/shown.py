"""What is put on the screen: which picture, with which folds, and what the two are worth.

*Matched*: a picture is shown with its own folds. The newest analysed picture stands for the newest
one as long as it is at most two frames or 100 ms behind; else the newest is shown bare.

*Low latency*: the newest picture is shown at once, with its own folds if they are known, else with
those of an earlier picture moved along. Their age is told, and at more than two frames and 100 ms
they are withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.types import Analysis, Frame, TrackedFolds

_LATE_FRAMES = 2
_LATE_S = 0.1


class Mode(StrEnum):
    """Which picture is shown while its folds are still being found."""

    MATCHED = "matched"
    """The one before, with its own folds: they never lie, the picture is older."""
    LOW_LATENCY = "low latency"
    """The newest, with older folds moved along: the picture is new, the folds have an age."""


class ShownState(StrEnum):
    """What a picture on the screen is worth."""

    LIVE = "live"
    """The folds shown belong to this very picture, and it is new."""
    TRACKED = "tracked"
    """The picture is new; the folds are those of an earlier one, moved along."""
    LATE = "late"
    """The picture is new; its folds are not known yet, so none are shown."""
    FAULT = "fault"
    """Something broke; the newest picture is shown bare."""
    NO_SIGNAL = "no signal"
    """There is no picture, or a live source sends none any more: an old one is not shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What to put on the screen now."""

    frame: Frame | None
    analysis: Analysis | None
    """Only ever of `frame` itself (`analysis.frame is frame`), else None."""
    state: ShownState
    tracked: TrackedFolds | None = None
    """Only ever moved to `frame` itself, and only where `analysis` is None."""


@dataclass(frozen=True, slots=True)
class Published:
    """A frame with its place in the stream, and what became of it so far."""

    epoch: int
    number: int
    frame: Frame
    product: Any = None
    """Of the last stage that had it: an `Analysis` in the end."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long folds may stand in for those of a newer picture."""

    limit_s: float
    """For a picture that stands still: two frames as they are played, 100 ms at least."""

    @classmethod
    def at(cls, frame_rate_hz: float | None, speed: float) -> Patience:
        """At the source's average rate (25 where it has none) and the speed it is played with."""
        return cls(max(_LATE_FRAMES / (frame_rate_hz or 25.0) / speed, _LATE_S))

    def allows(self, analysed: Published, newest: Published, now_s: float) -> bool:
        """Whether the folds of `analysed` are still good enough while `newest` has none."""
        if analysed.epoch != newest.epoch:
            return False
        if analysed.number == newest.number:
            return True
        # Folds must not outlive a picture that stands still, nor hide it behind the one before.
        if now_s - newest.frame.captured_s > self.limit_s:
            return False
        behind_s = newest.frame.captured_s - analysed.frame.captured_s
        return newest.number - analysed.number <= _LATE_FRAMES or behind_s <= _LATE_S
