"""What the window shows at one moment: intentions and reality resolved to one frozen state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.sources import SourceInfo
from engine.types import Analysis, Frame, PipelineStatus


class Signal(StrEnum):
    """The word on the status line."""

    LIVE = "LIVE"
    """The folds on screen were found in the picture on screen."""
    LATE = "LATE"
    """The picture is live, its folds are not ready and are withdrawn."""
    PAUSED = "PAUSED"
    FAULT = "FAULT"
    NO_SIGNAL = "NO SIGNAL"


@dataclass(frozen=True, slots=True)
class Loop:
    """The part of a recording that repeats; `end_s` is None while it is being set."""

    start_s: float
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """One moment of the window."""

    signal: Signal = Signal.NO_SIGNAL
    detail: str = ""
    """One sentence beside the word."""
    info: SourceInfo | None = None
    model: str = ""
    """Name of the model and what computes it."""
    frame: Frame | None = None
    analysis: Analysis | None = None
    is_playing: bool = False
    position_s: float = 0.0
    speed: float = 1.0
    loop: Loop | None = None
    status: PipelineStatus | None = None
