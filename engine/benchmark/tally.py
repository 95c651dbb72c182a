"""Stands where the analyser does, and notes what becomes of every picture."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from engine.errors import SourceError
from engine.overlay import paint_overlay
from engine.sources import VideoSource, signal_of
from engine.sources.pattern import read_code
from engine.stages import Analyse, Stage
from engine.timing import Percentiles
from engine.types import Analysis, Frame, Image, TrackedFolds

STAGES = ("decode", "segment", "instances", "track", "paint")
_WARM_UP_FRAMES = 5


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


class Tally:
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
        self._run_begins = 0

    def begin_run(self) -> None:
        """What is painted from now on belongs to another run."""
        self._run_begins = self.painted

    @property
    def run_painted(self) -> int:
        """Pictures painted in this run."""
        return self.painted - self._run_begins

    @property
    def run_latency_ms(self) -> Percentiles | None:
        """Decoded to painted, in this run."""
        return Percentiles.of(self._latency_ms[self._run_begins :])

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
        self._mismatched += self.is_mismatched(frame, analysis)
        return painted

    def note_decoding(self, durations_ms: Iterable[float]) -> None:
        """How long frames took to decode."""
        self._stages_ms["decode"].extend(durations_ms)

    @property
    def has_codes(self) -> bool:
        """Pictures carry their number."""
        return bool(self._codes)

    @property
    def mismatched(self) -> int | None:
        """Pictures painted with another frame's folds; None where pictures carry no code."""
        return self._mismatched if self._codes else None

    @property
    def latency_ms(self) -> Percentiles | None:
        """Decoded to painted."""
        return Percentiles.of(self._latency_ms)

    @property
    def stages_ms(self) -> dict[str, Percentiles]:
        """By name, in the order of the work."""
        spreads = {name: Percentiles.of(self._stages_ms[name]) for name in STAGES}
        return {name: spread for name, spread in spreads.items() if spread is not None}

    def is_mismatched(self, frame: Frame, analysis: Analysis) -> bool:
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


def warm_up(source: VideoSource, analyser: Analyse) -> None:
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
