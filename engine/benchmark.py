"""How fast frames become painted pictures on this machine, and whether each has its own folds.

`paced` plays the source like a camera and looks at the newest picture as a window would: what is
late is dropped, and latency counts from decoded to painted. `flat_out` loses nothing and measures
throughput end to end; frames wait in queues there, so its latency says little.

Pictures of the test pattern carry their number. It is read when a frame is analysed and again
from the picture shown with that analysis, and compared with the time stamp: `mismatched`.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import BackendError, SourceError
from engine.offline import analyse_every_frame
from engine.overlay import paint_overlay
from engine.pipeline import Pipeline
from engine.sources import VideoSource, signal_of
from engine.sources.pattern import read_code
from engine.stages import Analyse, Stage
from engine.timing import Percentiles, SystemClock
from engine.types import Analysis, Frame, Image, PipelineStatus, TrackedFolds

STAGES = ("decode", "segment", "instances", "track", "paint")
_LOOK_S = 0.001
_WARM_UP_FRAMES = 5


@dataclass(frozen=True, slots=True)
class Measurement:
    """One way of running, measured."""

    fps: float
    """Pictures painted with their folds, per second."""
    latency_ms: Percentiles | None
    """Decoded to painted."""
    analysed: float
    """Fraction of the frames that came, 0..1."""
    dropped: int
    mismatched: int | None
    """Pictures painted with another frame's folds; None where pictures carry no code."""
    stages_ms: Mapping[str, Percentiles]
    frames: int
    """How many came."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, milliseconds rounded to 0.01."""
        return {
            "fps": round(self.fps, 2),
            "latency_ms": _rounded(self.latency_ms, ("p50", "p95", "p99", "max")),
            "analysed": round(self.analysed, 4),
            "dropped": self.dropped,
            "mismatched": self.mismatched,
            "frames": self.frames,
            "stages_ms": {
                name: _rounded(spread, ("p50", "p99")) for name, spread in self.stages_ms.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the frames that came."""

    frames: int
    analysed: int
    dropped: int


class _CodeReader:
    """The first stage, and what pictures it was given."""

    def __init__(self, stage: Stage, codes: dict[float, int]) -> None:
        self.name = stage.name
        self._stage = stage
        self._codes = codes

    def __call__(self, frame: Frame) -> Any:
        """Do the stage's work, and note which picture it was."""
        code = read_code(frame.image)
        if code is not None:
            self._codes[frame.pts_s] = code
        return self._stage(frame)

    def reset(self) -> None:
        """Forget earlier frames."""
        self._stage.reset()


class _Tally:
    """Stands where the analyser does, and collects what happens to painted frames."""

    def __init__(self, analyser: Analyse, rate_hz: float | None) -> None:
        first, *others = analyser.stages
        self._codes: dict[float, int] = {}
        self.stages: tuple[Stage, ...] = (_CodeReader(first, self._codes), *others)
        self._analyser = analyser
        self._rate_hz = rate_hz
        self._latency_ms: list[float] = []
        self._stages_ms: defaultdict[str, list[float]] = defaultdict(list)
        self._mismatched = 0
        self.painted = 0

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """As the analyser foresees it."""
        return self._analyser.foreseen(frame)

    def paint(self, frame: Frame, analysis: Analysis) -> Image:
        """Paint as the window would, and note how long it took and how old the frame is."""
        started_s = time.monotonic()
        painted = paint_overlay(frame.image, analysis.folds)
        now_s = time.monotonic()
        self.painted += 1
        self._stages_ms["paint"].append((now_s - started_s) * 1e3)
        self._latency_ms.append((now_s - frame.captured_s) * 1e3)
        for stage, duration_ms in analysis.timings_ms.items():
            self._stages_ms[stage].append(duration_ms)
        self._mismatched += self._is_mismatched(frame, analysis)
        return painted

    def measurement(
        self, elapsed_s: float, count: Count, decode: Percentiles | None
    ) -> Measurement:
        """Everything noted so far."""
        stages = {name: Percentiles.of(self._stages_ms[name]) for name in STAGES}
        stages["decode"] = decode
        return Measurement(
            fps=self.painted / elapsed_s if elapsed_s > 0 else 0.0,
            latency_ms=Percentiles.of(self._latency_ms),
            analysed=count.analysed / count.frames if count.frames else 0.0,
            dropped=count.dropped,
            mismatched=self._mismatched if self._codes else None,
            stages_ms={name: spread for name, spread in stages.items() if spread is not None},
            frames=count.frames,
        )

    def _is_mismatched(self, frame: Frame, analysis: Analysis) -> bool:
        """The picture shown, the picture analysed and the time stamp disagree."""
        shown, analysed = read_code(frame.image), self._codes.get(analysis.frame.pts_s)
        if shown is None and analysed is None:
            return False
        if shown != analysed or shown is None:
            return True
        expected = shown
        if self._rate_hz is not None:
            expected = round(frame.pts_s * self._rate_hz)
        return shown != expected


def measure_paced(
    source: VideoSource, analyser: Analyse, *, rate_hz: float | None, longest_s: float
) -> Measurement:
    """Play `source` at `rate_hz` frames a second (None: its own) for at most `longest_s`.

    Raises:
        HaustraError: a worker failed, or no frame came.
    """
    _warm_up(source, analyser)
    own_hz = source.info.frame_rate_hz or 25.0
    # Numbers of a live source do not begin with its first frame here.
    tally = _Tally(analyser, None if source.info.is_live else source.info.frame_rate_hz)
    pipeline = Pipeline(source, tally)
    pipeline.set_speed((rate_hz or own_hz) / own_hz)
    started_s = time.monotonic()
    pipeline.start()
    try:
        status = _watch(pipeline, tally, started_s + longest_s)
    finally:
        elapsed_s = time.monotonic() - started_s
        pipeline.stop()
    if status.fault:
        raise BackendError(status.fault)
    count = Count(status.frames_in, status.analysed, status.dropped)
    return tally.measurement(elapsed_s, count, pipeline.decode_spread())


def measure_flat_out(source: VideoSource, analyser: Analyse, *, longest_s: float) -> Measurement:
    """Decode, analyse and paint every frame of `source` as fast as that goes.

    Raises:
        HaustraError: a worker failed, or no frame came.
    """
    _warm_up(source, analyser)
    tally = _Tally(analyser, source.info.frame_rate_hz)
    decode_ms: list[float] = []
    started_s = time.monotonic()
    for processed in analyse_every_frame(source, tally):
        decode_ms.append(processed.decode_ms)
        tally.paint(processed.analysis.frame, processed.analysis)
        if time.monotonic() - started_s > longest_s:
            break
    elapsed_s = time.monotonic() - started_s
    count = Count(tally.painted, tally.painted, 0)
    return tally.measurement(elapsed_s, count, Percentiles.of(decode_ms))


def _warm_up(source: VideoSource, analyser: Analyse) -> None:
    """The first inference builds caches; it is no part of the measure."""
    source.seek(0.0)
    frame = source.read()
    signal = signal_of(source)
    while frame is None and signal is not None and signal.is_present:
        frame, signal = source.read(), signal_of(source)
    if frame is None:
        raise SourceError(f"{source.info.name} has no frames.", "Choose another source.")
    for _ in range(_WARM_UP_FRAMES):
        product: Any = frame
        for stage in analyser.stages:
            product = stage(product)
    for stage in analyser.stages:
        stage.reset()
    source.seek(0.0)


def _watch(pipeline: Pipeline, tally: _Tally, until_s: float) -> PipelineStatus:
    """Paint each analysed picture as it comes, until the end of the source or of the time."""
    never = threading.Event()
    clock = SystemClock()
    last: Analysis | None = None
    while True:
        status = pipeline.status()
        shown = pipeline.newest()
        if shown.frame is not None and shown.analysis is not None and shown.analysis is not last:
            last = shown.analysis
            tally.paint(shown.frame, last)
        is_done = status.at_end and status.analysed + status.dropped >= status.frames_in
        if is_done or status.fault or clock.now_s() > until_s:
            return status
        clock.wait(never, _LOOK_S)


def _rounded(spread: Percentiles | None, names: tuple[str, ...]) -> dict[str, float] | None:
    return None if spread is None else {name: round(getattr(spread, name), 2) for name in names}
