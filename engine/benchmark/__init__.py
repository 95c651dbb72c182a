"""How fast frames become painted pictures on this machine, and whether each has its own folds.

`paced` plays the source like a camera and looks at the newest picture as a window would: what is
late is dropped, and latency counts from decoded to painted. `flat_out` loses nothing and measures
throughput end to end; frames wait in queues there, so its latency says little. `alone` gives every
stage the machine to itself, one after the other: no arrangement can be faster than the slowest.

Each way is run several times, and the figures are of all runs together; those of single runs stand
beside them. Pictures of the test pattern carry their number. It is read when a frame is analysed
and again from the picture shown with that analysis, and compared with the time stamp: `mismatched`.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.benchmark.tally import STAGES, Tally, warm_up
from engine.benchmark.usage import Usage, UsageMeter
from engine.errors import BackendError
from engine.offline import analyse_every_frame
from engine.overlay import paint_overlay
from engine.pipeline import Pipeline
from engine.sources import VideoSource
from engine.stages import Analyse
from engine.timing import Percentiles, SystemClock
from engine.types import Analysis, PipelineStatus

__all__ = [
    "STAGES",
    "Measurement",
    "Protocol",
    "measure_alone",
    "measure_flat_out",
    "measure_paced",
]

_LOOK_S = 0.001
_STATUS_LOOKS = 25
_LATENCY = ("mean", "p50", "p95", "p99", "p999", "max")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How often and how long."""

    frames: int = 1000
    """Of each run, at most; a run ends where the source does."""
    runs: int = 3
    longest_s: float = 120.0
    """Of each run."""
    rate_hz: float | None = None
    """Pace of the paced runs; None is the source's own."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run by itself."""

    fps: float
    p99_ms: float | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One way of running, measured over all runs."""

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
    usage: Usage
    runs: tuple[Run, ...] = ()

    @property
    def processor_ms(self) -> float:
        """Time of all cores together for a frame that came."""
        return self.usage.processor_s * 1e3 / self.frames if self.frames else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values, milliseconds rounded to 0.01."""
        memory = self.usage.memory_mib
        return {
            "fps": round(self.fps, 2),
            "latency_ms": _rounded(self.latency_ms),
            "analysed": round(self.analysed, 4),
            "dropped": self.dropped,
            "mismatched": self.mismatched,
            "frames": self.frames,
            "stages_ms": {name: _rounded(spread) for name, spread in self.stages_ms.items()},
            "processor_ms": round(self.processor_ms, 2),
            "cores": round(self.usage.cores, 2),
            "memory_mib": None if memory is None else round(memory, 1),
            "gpu": self.usage.gpu,
            "runs": [
                {"fps": round(run.fps, 2), "p99_ms": run.p99_ms and round(run.p99_ms, 2)}
                for run in self.runs
            ],
        }


@dataclass(slots=True)
class _Counts:
    """What became of the frames that came, over all runs."""

    frames: int = 0
    analysed: int = 0
    dropped: int = 0


def measure_paced(
    source: VideoSource, analyser: Analyse, protocol: Protocol = Protocol()
) -> Measurement:
    """Play `source` like a camera.

    Raises:
        HaustraError: a worker failed, or no frame came.
    """
    warm_up(source, analyser)
    own_hz = source.info.frame_rate_hz or 25.0
    speed = (protocol.rate_hz or own_hz) / own_hz
    # Numbers of a live source do not begin with its first frame here.
    tally = Tally(analyser, None if source.info.is_live else source.info.frame_rate_hz)
    counts, meter = _Counts(), UsageMeter()
    runs = [_play(source, tally, counts, protocol, speed) for _ in range(protocol.runs)]
    return _measurement(tally, counts, meter.read(with_gpu=True), runs)


def _play(
    source: VideoSource, tally: Tally, counts: _Counts, protocol: Protocol, speed: float
) -> Run:
    source.seek(0.0)
    pipeline = Pipeline(source, tally)
    pipeline.set_speed(speed)
    tally.begin_run()
    started_s = time.monotonic()
    pipeline.start()
    try:
        status = _watch(pipeline, tally, protocol)
    finally:
        elapsed_s = time.monotonic() - started_s
        pipeline.stop()
    if status.fault:
        raise BackendError(status.fault)
    tally.note_decoding(pipeline.decode_times_ms())
    counts.frames += status.frames_in
    counts.analysed += status.analysed
    counts.dropped += status.dropped
    return _run(tally, elapsed_s)


def measure_flat_out(
    source: VideoSource, analyser: Analyse, protocol: Protocol = Protocol()
) -> Measurement:
    """Decode, analyse and paint every frame of `source` as fast as that goes.

    Raises:
        HaustraError: a worker failed, or no frame came.
    """
    warm_up(source, analyser)
    tally = Tally(analyser, source.info.frame_rate_hz)
    runs, meter = [], UsageMeter()
    for _ in range(protocol.runs):
        source.seek(0.0)
        tally.begin_run()
        started_s = time.monotonic()
        with contextlib.closing(analyse_every_frame(source, tally)) as frames:
            for processed in itertools.islice(frames, protocol.frames):
                tally.note_decoding((processed.decode_ms,))
                tally.paint(processed.analysis.frame, processed.analysis)
                if time.monotonic() - started_s > protocol.longest_s:
                    break
        runs.append(_run(tally, time.monotonic() - started_s))
        for stage in tally.stages:
            stage.reset()
    counts = _Counts(tally.painted, tally.painted)
    return _measurement(tally, counts, meter.read(with_gpu=True), runs)


def measure_alone(source: VideoSource, analyser: Analyse, frames: int = 100) -> dict[str, float]:
    """Frames a second of every stage with the machine to itself: `decode`, the analyser's, `paint`.

    Raises:
        HaustraError: a stage failed, or no frame came.
    """
    warm_up(source, analyser)
    # Each stage is given what the one before it made; at most a few frames are held at a time.
    spent_s: dict[str, float] = {}
    count = 0
    for batch in _batches(source, frames, spent_s):
        products: list[Any] = batch
        for stage in analyser.stages:
            started_s = time.monotonic()
            products = [stage(product) for product in products]
            _add(spent_s, stage.name, started_s)
        started_s = time.monotonic()
        for analysis in products:
            paint_overlay(analysis.frame.image, analysis.folds)
        _add(spent_s, "paint", started_s)
        count += len(batch)
    return {name: count / seconds for name, seconds in spent_s.items() if seconds > 0}


def _batches(source: VideoSource, frames: int, spent_s: dict[str, float]) -> Iterator[list[Any]]:
    left = frames
    while left > 0:
        started_s = time.monotonic()
        batch = []
        for _ in range(min(10, left)):
            frame = source.read()
            if frame is not None:
                batch.append(frame)
        _add(spent_s, "decode", started_s)
        if not batch:
            return
        yield batch
        left -= len(batch)


def _add(spent_s: dict[str, float], name: str, started_s: float) -> None:
    spent_s[name] = spent_s.get(name, 0.0) + time.monotonic() - started_s


def _run(tally: Tally, elapsed_s: float) -> Run:
    spread = tally.run_latency_ms
    fps = tally.run_painted / elapsed_s if elapsed_s > 0 else 0.0
    return Run(fps, None if spread is None else spread.p99)


def _measurement(tally: Tally, counts: _Counts, usage: Usage, runs: list[Run]) -> Measurement:
    return Measurement(
        fps=tally.painted / usage.elapsed_s if usage.elapsed_s > 0 else 0.0,
        latency_ms=tally.latency_ms,
        analysed=counts.analysed / counts.frames if counts.frames else 0.0,
        dropped=counts.dropped,
        mismatched=tally.mismatched,
        stages_ms=tally.stages_ms,
        frames=counts.frames,
        usage=usage,
        runs=tuple(runs),
    )


def _watch(pipeline: Pipeline, tally: Tally, protocol: Protocol) -> PipelineStatus:
    """Paint each analysed picture as it comes, until the end of the source or of the run."""
    never, clock = threading.Event(), SystemClock()
    until_s = clock.now_s() + protocol.longest_s
    last: Analysis | None = None
    for look in itertools.count():
        shown = pipeline.newest()
        if shown.frame is not None and shown.analysis is not None and shown.analysis is not last:
            last = shown.analysis
            tally.paint(shown.frame, last)
        if look % _STATUS_LOOKS == 0:
            # Figures are reckoned for a status; a window asks for it less often than for pictures.
            status = pipeline.status()
            is_done = status.at_end and status.analysed + status.dropped >= status.frames_in
            is_long = status.frames_in >= protocol.frames or clock.now_s() > until_s
            if is_done or is_long or status.fault:
                break
        clock.wait(never, _LOOK_S)
    return status


def _rounded(spread: Percentiles | None) -> dict[str, float] | None:
    return None if spread is None else {name: round(getattr(spread, name), 2) for name in _LATENCY}
