"""What flows through the program. All frozen; arrays are read-only, so threads share them.

Units end the names (`_s`, `_ms`, `_px`, `_mm`, `_hz`). Images are RGB, uint8, (H, W, 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from engine.card import CardPicture
    from engine.preprocess import Placement

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Probability = NDArray[np.float32]
Points = NDArray[np.float32]
Labels = NDArray[np.int32]

_Array = TypeVar("_Array", bound=NDArray[Any])


def read_only(array: _Array) -> _Array:
    """The same array, protected against writing."""
    array.setflags(write=False)
    return array


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture. Its identity is `pts_s`, never `index / rate`."""

    index: int
    """Number of the frame in its source, 0 first."""
    pts_s: float
    """Presentation time, seconds from the start of the source."""
    captured_s: float
    """Monotonic clock when the picture was decoded (or captured)."""
    image: Image
    """(H, W, 3) RGB, read-only."""
    on_card: CardPicture | None = None
    """The same picture in the card's memory, where it was decoded there and stays."""


@dataclass(frozen=True, slots=True)
class FoldMask:
    """What the network says about one frame, on the network's own grid."""

    frame: Frame
    probability: Probability
    """(h, w), 0..1: inside a fold."""
    edge: Probability
    """(h, w), 0..1: on the occluding edge of a fold."""
    placement: Placement
    """Maps the grid to frame pixels and back."""
    took_ms: float = 0.0
    """To place, run and fetch."""
    depth: Probability | None = None
    """(h, w) distance along the ray, of which only ratios within a picture are sure; 0 outside the
    field of view. None where the bundle gives none or nobody asked for it."""
    trust: float = 1.0
    """0..1: how far the picture shows what is in the colon, by itself (`engine.trust`)."""


@dataclass(frozen=True, slots=True)
class FoldInstance:
    """One haustral fold in one frame. Label 0 is background and never appears here."""

    label: int
    """1, 2, ... within this frame."""
    track: int
    """Identity over time (1, 2, ...); 0 while untracked."""
    contour: Points
    """(n, 2) xy of the outer outline, of the largest part if it has several, in frame pixels."""
    area_px: float
    """In frame pixels."""
    score: float
    """Mean probability inside, 0..1."""
    holes: tuple[Points, ...] = ()
    """Inner outlines, (n, 2) xy each: a fold that runs all around the lumen is a ring."""
    parts: tuple[Points, ...] = ()
    """Outer outlines, (n, 2) xy each, of its other parts: a tool or a highlight lies across it."""

    @property
    def outlines(self) -> tuple[Points, ...]:
        """All of them, the contour first: what lies inside an odd number of them is the fold."""
        return (self.contour, *self.parts, *self.holes)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A picture and what was found *in it*, inseparable."""

    frame: Frame
    mask: FoldMask
    folds: tuple[FoldInstance, ...]
    timings_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Milliseconds by stage name: `segment`, `instances`, `track`."""
    finished_s: float = 0.0
    """Monotonic clock when the analysis was complete."""

    @property
    def trust(self) -> float:
        """0..1: low in blur, red-out, water, foam, behind tools, out of the body."""
        return self.mask.trust


@dataclass(frozen=True, slots=True)
class TrackedFolds:
    """Folds found in one picture, moved to where they are in a newer one."""

    folds: tuple[FoldInstance, ...]
    """In pixels of `frame`."""
    frame: Frame
    """The picture they are shown on."""
    found_in: Frame
    """The picture they were found in."""
    trust: float = 1.0
    """In the picture they were found in, 0..1."""

    @property
    def age_ms(self) -> float:
        """How much older the picture is that they were found in."""
        return (self.frame.captured_s - self.found_in.captured_s) * 1e3


class WorkerState(StrEnum):
    """STOPPED → STARTING → RUNNING → STOPPING → STOPPED; FAULTED from anywhere."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True)
class SignalState:
    """Whether pictures of a live source arrive."""

    is_present: bool
    breaks: int = 0
    """Counts reconnections and changes of picture size: a frame after one follows no other."""
    replaced: int = 0
    """Pictures that were replaced by a newer one before anybody took them."""
    problem: str | None = None
    """Why there is no signal, as far as that is known."""
    patience_s: float = 0.2
    """A picture older than this does not pass for live any more."""


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A snapshot of a running pipeline."""

    workers: Mapping[str, WorkerState]
    """State by worker name: `decode`, then the analyser's stages; `decode` alone plays bare."""
    fault: str | None = None
    """What went wrong and what to do, or None."""
    frames_in: int = 0
    analysed: int = 0
    dropped: int = 0
    """Frames replaced by a newer one before they were analysed."""
    latency_p50_ms: float | None = None
    """Decoded to analysed, over the last seconds."""
    latency_p99_ms: float | None = None
    analysed_hz: float | None = None
    at_end: bool = False
    """The source has no more frames."""
    note: str | None = None
    """What the user should know about the source: it ends early, pieces are damaged, ..."""
    signal: SignalState | None = None
    """None: the source is not live."""
