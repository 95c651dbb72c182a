"""What the window shows at one moment: intentions and reality resolved to one frozen state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.backends import AUTOMATIC
from engine.recording import RecordingStatus
from engine.shown import Mode
from engine.sources import SourceInfo
from engine.types import Analysis, FoldInstance, Frame, PipelineStatus, TrackedFolds


class Signal(StrEnum):
    """The word on the status line."""

    LIVE = "LIVE"
    """The folds on screen were found in the picture on screen."""
    TRACKED = "TRACKED"
    """The picture is live; folds found a moment ago have been moved along to it."""
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
    choice: str = ""
    """Why it is computed by that."""
    backend: str = AUTOMATIC
    """Which back end the user wants, by name."""
    frame: Frame | None = None
    analysis: Analysis | None = None
    tracked: TrackedFolds | None = None
    mode: Mode = Mode.MATCHED
    is_clear: bool = True
    """Whether the pictures show enough to judge folds by."""
    is_playing: bool = False
    position_s: float = 0.0
    speed: float = 1.0
    loop: Loop | None = None
    status: PipelineStatus | None = None
    recording: RecordingStatus | None = None

    @property
    def folds(self) -> tuple[FoldInstance, ...] | None:
        """Those on screen, None while they are not known."""
        if self.analysis is not None:
            return self.analysis.folds
        return None if self.tracked is None else self.tracked.folds

    @property
    def folds_age_ms(self) -> float | None:
        """How much older the picture is in which they were found; 0 is this very picture."""
        if self.analysis is not None:
            return 0.0
        return None if self.tracked is None else self.tracked.age_ms
