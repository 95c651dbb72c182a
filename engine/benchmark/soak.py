"""A very long run: does memory grow, does it get slower?"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.benchmark.tally import Tally, warm_up
from engine.benchmark.usage import memory_mib
from engine.offline import Processed, analyse_every_frame
from engine.overlay import paint_overlay
from engine.sources import VideoSource
from engine.stages import Analyse

_TENTHS = 10


@dataclass(frozen=True, slots=True)
class Soak:
    """The first tenth of a long run beside its last."""

    frames: int
    memory_mib: tuple[float, ...]
    """Resident after each tenth; the first is the warm-up."""
    p99_ms: tuple[float, ...]
    """Decoded to painted, of each tenth."""
    mismatched: int | None

    @property
    def memory_drift(self) -> float:
        """Growth from the end of the first tenth to the end, a share of the former."""
        return self.memory_mib[-1] / self.memory_mib[0] - 1 if self.memory_mib else 0.0

    @property
    def p99_ratio(self) -> float:
        """Of the last tenth to the first."""
        return self.p99_ms[-1] / self.p99_ms[0]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "frames": self.frames,
            "memory_mib": [round(value, 1) for value in self.memory_mib],
            "memory_drift": round(self.memory_drift, 5),
            "p99_ms": [round(value, 2) for value in self.p99_ms],
            "p99_ratio": round(self.p99_ratio, 4),
            "mismatched": self.mismatched,
        }


def soak(
    source: VideoSource,
    analyser: Analyse,
    frames: int,
    tell: Callable[[], None] = lambda: None,
) -> Soak:
    """Decode, analyse and paint `frames` pictures of `source`, from its start again and again.

    Args:
        tell: called after each picture.

    Raises:
        HaustraError: a worker failed, or no frame came.
    """
    warm_up(source, analyser)
    tally = Tally(analyser, source.info.frame_rate_hz)
    tenth = max(1, frames // _TENTHS)
    # Room for all figures from the start: what is noted must not look like growing memory.
    latency_ms = np.zeros(tenth)
    p99_ms: list[float] = []
    memory: list[float] = []
    painted = mismatched = 0
    for processed in again_and_again(source, tally, tenth * _TENTHS):
        frame = processed.analysis.frame
        paint_overlay(frame.image, processed.analysis.folds)
        latency_ms[painted % tenth] = (time.monotonic() - frame.captured_s) * 1e3
        mismatched += tally.is_mismatched(frame, processed.analysis)
        painted += 1
        tell()
        if painted % tenth == 0:
            p99_ms.append(float(np.percentile(latency_ms, 99)))
            memory += [mib for mib in (memory_mib(),) if mib is not None]
    has_codes = tally.has_codes
    return Soak(painted, tuple(memory), tuple(p99_ms), mismatched if has_codes else None)


def again_and_again(source: VideoSource, analyser: Analyse, frames: int) -> Iterator[Processed]:
    """`frames` analysed pictures; where the source ends, from its start again."""
    left = frames
    while left > 0:
        before = left
        with contextlib.closing(analyse_every_frame(source, analyser)) as every:
            for processed in itertools.islice(every, left):
                yield processed
                left -= 1
        if left in (0, before):
            return
        source.seek(0.0)
        for stage in analyser.stages:
            stage.reset()
