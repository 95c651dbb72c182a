"""Seeks, steps, speeds, pauses and loops at random, on awkward files; everything shown is checked.

The truth is the clip as it was written: picture n carries the number n and has the n-th time. The
analyser reads that number from the picture it is given and hands it on as the label of a fold. So
a shown picture, its time and its folds are held against each other and against the clip, and no
bookkeeping of the player's has a say in it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from engine.pipeline import Mode, Pipeline, Shown
from engine.sources import open_source
from engine.sources.pattern import read_code
from engine.timing import ManualClock
from engine.tracker import Tracker
from engine.types import Analysis, FoldInstance, Frame, TrackedFolds
from tests.clips import (
    B_FRAMES,
    EDIT_LIST,
    LATE_START,
    OPEN_GOP,
    UNEVEN,
    Clip,
    write_clip,
)
from tests.fakes import WAIT_S, GatedAnalyser, analysis_of, fold, rectangle

_LONG_TICKS = tuple(np.cumsum(np.random.default_rng(5).integers(5, 90, 80)).tolist())

CLIPS: dict[str, tuple[str, Clip]] = {
    "variable rate": ("uneven.mkv", UNEVEN),
    "variable rate, long": (
        "long.mkv",
        Clip(
            ticks=_LONG_TICKS, time_base=Fraction(1, 1000), options={"preset": "medium", "bf": "2"}
        ),
    ),
    "variable rate in MP4": ("uneven.mp4", UNEVEN),
    "B-frames": ("b.mp4", replace(B_FRAMES, ticks=range(72))),
    "open groups": ("open.mp4", replace(OPEN_GOP, ticks=range(72))),
    "edit list": ("edit.mp4", replace(EDIT_LIST, ticks=range(-5, 60))),
    "late start": ("late.mp4", LATE_START),
    "negative start": ("negative.nut", replace(B_FRAMES, ticks=range(-7, 41))),
    "transport stream": ("stream.ts", replace(B_FRAMES, ticks=range(48))),
    "missing rate": ("raw.h264", Clip(ticks=range(48), options={"bf": "0", "g": "12"})),
}
"""Name → file name (its ending chooses the container) and clip."""


class CodeFinder(GatedAnalyser):
    """Finds one fold, whose label is one more than the number in the picture."""

    def __init__(self) -> None:
        super().__init__()
        self._tracker = Tracker()

    def __call__(self, frame: Frame) -> Analysis:
        super().__call__(frame)
        code = read_code(frame.image)
        label = -1 if code is None else code + 1
        found = replace(fold(rectangle(10, 10, 40, 30)), label=label)
        return analysis_of(frame, *self._tracker.update(frame, (found,)))

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        return self._tracker.foreseen(frame)

    def reset(self) -> None:
        self._tracker.reset()


@dataclass(slots=True)
class Outcome:
    """What was looked at, and what was wrong with it."""

    looks: int = 0
    matched: int = 0
    tracked: int = 0
    seeks: int = 0
    """That were waited for."""
    wrong: Counter[str] = field(default_factory=Counter)


class Operator:
    """Plays one clip and does what chance says."""

    def __init__(self, name: str, folder: Path, seed: int = 0) -> None:
        file_name, clip = CLIPS[name]
        self._rng = np.random.default_rng(seed)
        self._clock = ManualClock()
        source = open_source(write_clip(folder / file_name, clip))
        self._times_s = _true_times_s(clip, file_name)
        self._length_s = max(self._times_s.values())
        self._analyser = CodeFinder()
        self._pipeline = Pipeline(source, self._analyser, clock=self._clock)
        self._loop: tuple[float, float] | None = None
        self._outcome = Outcome()

    def run(self, count: int) -> Outcome:
        """Do `count` operations; after some, wait for what they lead to."""
        self._pipeline.start()
        try:
            for _ in range(count):
                self._do(int(self._rng.integers(9)))
                self._repeat()
                self._play_on()
            assert self._pipeline.status().fault is None, self._pipeline.status().fault
        finally:
            self._analyser.allow(1_000_000)
            assert self._pipeline.stop(WAIT_S)
        return self._outcome

    def _play_on(self) -> None:
        """Let some time pass, look, and let some analyses be ready, or none."""
        for _ in range(int(self._rng.integers(1, 5))):
            came, before_s = self._pipeline.status().frames_in, self._clock.now_s()
            self._clock.advance(float(self._rng.uniform(0, 0.06)))
            if self._pipeline.is_playing and self._rng.integers(2):
                _until(partial(self._has_moved, came, before_s))
            self._look()
            if self._rng.integers(3) == 0:
                self._analyser.allow(1)

    def _has_moved(self, frames_in: int, since_s: float) -> bool:
        """A frame came, or none can: time stands still in between."""
        if self._clock.now_s() - since_s < 5.0:  # the longest gap at the slowest speed
            self._clock.advance(0.01)
        status = self._pipeline.status()
        return status.frames_in > frames_in or status.at_end or self._loop is not None

    def _do(self, which: int) -> None:
        rng, pipeline = self._rng, self._pipeline
        if which == 0:
            pipeline.seek(float(rng.uniform(-0.2, self._length_s + 0.2)))
        elif which == 1:
            pipeline.step(int(rng.integers(-4, 5)))
        elif which == 2:
            pipeline.set_speed(float(rng.choice([0.1, 0.5, 1.0, 2.0, 4.0])))
        elif which == 3:
            pipeline.pause()
        elif which == 4:
            start_s = float(rng.uniform(0, self._length_s))
            self._loop = None if self._loop else (start_s, start_s + 0.2)
        elif which == 5:
            pipeline.set_mode(Mode.LOW_LATENCY if rng.integers(2) else Mode.MATCHED)
        elif which == 6:
            self._go_to(float(rng.uniform(-0.2, self._length_s + 0.2)))
        else:
            pipeline.play()

    def _repeat(self) -> None:
        if self._loop and self._pipeline.is_playing:
            start_s, end_s = self._loop
            if not start_s <= self._pipeline.position_s < end_s:
                self._pipeline.seek(start_s)

    def _go_to(self, target_s: float) -> None:
        """Seek while paused, and wait for the picture of that time with its own folds."""
        due = [n for n, time_s in self._times_s.items() if time_s <= max(target_s, 0.0) + 1e-6]
        expected_s = max(self._times_s[n] for n in due)
        self._pipeline.pause()
        self._pipeline.seek(target_s)

        def is_there() -> bool:
            self._analyser.allow(1)
            analysis = self._look().analysis
            return analysis is not None and abs(analysis.frame.pts_s - expected_s) < 1e-3

        _until(is_there)
        # What stood in for a newer picture before the seek does so no longer; this one stays.
        self._clock.advance(1.0)
        _until(is_there)
        self._clock.advance(1.0)
        stays = self._look().frame
        self._outcome.wrong["seek"] += stays is None or abs(stays.pts_s - expected_s) > 1e-3
        self._outcome.seeks += 1

    def _look(self) -> Shown:
        shown = self._pipeline.newest()
        if shown.frame is not None:
            self._outcome.looks += 1
            self._check(shown, shown.frame)
        return shown

    def _check(self, shown: Shown, frame: Frame) -> None:
        outcome, code = self._outcome, read_code(frame.image)
        if code is None:
            outcome.wrong["unreadable"] += 1
            return
        outcome.wrong["time"] += abs(self._times_s[code] - frame.pts_s) > 1e-3
        if shown.analysis is not None:
            outcome.matched += 1
            outcome.wrong["folds"] += _origin(shown.analysis.folds) != code
        if shown.tracked is not None:
            outcome.tracked += 1
            tracked = shown.tracked
            origin_s = self._times_s[_origin(tracked.folds)]
            outcome.wrong["origin"] += abs(origin_s - tracked.found_in.pts_s) > 1e-3
            outcome.wrong["age"] += tracked.age_ms < 0 or tracked.frame is not frame


def _until(is_so: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < give_up_s, "what had to come did not come"
        time.sleep(0.0002)


def _origin(folds: tuple[FoldInstance, ...]) -> int:
    (found,) = folds
    return found.label - 1


def _true_times_s(clip: Clip, file_name: str) -> dict[int, float]:
    """Number of a picture → when it is shown, from the first one that is.

    An edit list hides what lies before zero; other containers show it.
    """
    is_hidden = file_name.endswith(".mp4")
    shown = {n: tick for n, tick in enumerate(clip.ticks) if tick >= 0 or not is_hidden}
    first = min(shown.values())
    return {n: float((tick - first) * clip.time_base) for n, tick in shown.items()}
