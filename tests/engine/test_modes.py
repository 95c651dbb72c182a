"""Both modes, end to end: pictures of a real file tell their number, folds where they are from.

The analyser reads the number burnt into the picture it is given, hands out a fold that bears it as
its label, and lets the real tracker follow it. So what is shown can be held against itself, without
asking any bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.pipeline import Mode, Pipeline, Shown, ShownState
from engine.recorder import record_source
from engine.sources import open_source
from engine.sources.pattern import Pattern, read_code
from engine.timing import ManualClock
from engine.tracker import Tracker
from engine.types import Analysis, Frame, TrackedFolds
from tests.engine.test_pipeline import FRAME_S, WAIT_S, eventually
from tests.fakes import GatedAnalyser, analysis_of, fold, rectangle

FRAMES = 60
LONGEST_S = 0.1
"""Of two frames at 50 Hz and 100 ms the longer."""


class CodeFinder(GatedAnalyser):
    """Finds one fold, whose label is one more than the number in the picture."""

    def __init__(self) -> None:
        super().__init__()
        self._tracker = Tracker()

    def __call__(self, frame: Frame) -> Analysis:
        super().__call__(frame)
        code = read_code(frame.image)
        assert code is not None
        found = replace(fold(rectangle(10, 10, 40, 30)), label=code + 1)
        return analysis_of(frame, *self._tracker.update(frame, (found,)))

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        return self._tracker.foreseen(frame)

    def reset(self) -> None:
        super().reset()
        self._tracker.reset()


class Slow:
    """Plays a file frame by frame; each analysis lasts until `lag` further frames have come."""

    def __init__(self, path: Path, mode: Mode, lag: int) -> None:
        self.clock = ManualClock()
        self.analyser = CodeFinder()
        self.lag = lag
        source = open_source(path)
        self.pipeline = Pipeline(source, self.analyser, clock=self.clock, mode=mode)

    def play(self) -> Iterator[Shown]:
        """What is shown after each frame and after each analysis."""
        self.pipeline.start()
        assert eventually(lambda: self.pipeline.status().frames_in == 1)
        for number in range(1, FRAMES):
            assert self.analyser.is_busy.wait(WAIT_S)
            yield self.pipeline.newest()
            if number % (self.lag + 1) == self.lag:
                self.analyser.is_busy.clear()
                done = self.pipeline.status().analysed
                self.analyser.allow(1)
                assert eventually(lambda done=done: self.pipeline.status().analysed > done)
                yield self.pipeline.newest()
            self.clock.advance(FRAME_S + 1e-6)
            assert eventually(lambda n=number: self.pipeline.status().frames_in > n)
            yield self.pipeline.newest()
        self.analyser.allow(FRAMES)
        assert self.pipeline.stop(WAIT_S)
        assert self.pipeline.status().fault is None


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("modes") / "coded.mp4"
    for _ in record_source(Pattern(f"pattern:160x96@50,frames={FRAMES}"), path):
        pass
    return path


def code_of(shown: Shown) -> int:
    assert shown.frame is not None
    code = read_code(shown.frame.image)
    assert code is not None
    return code


LAGS = pytest.mark.parametrize("lag", [0, 1, 2, 3])


@LAGS
def test_matched_folds_were_found_in_the_very_picture(clip: Path, lag: int) -> None:
    with_folds = 0
    for shown in Slow(clip, Mode.MATCHED, lag).play():
        assert shown.tracked is None
        if shown.analysis is not None:
            with_folds += 1
            assert [each.label - 1 for each in shown.analysis.folds] == [code_of(shown)]
    assert with_folds > 5


@LAGS
def test_low_latency_folds_tell_their_true_age(clip: Path, lag: int) -> None:
    ages_ms = set()
    for shown in Slow(clip, Mode.LOW_LATENCY, lag).play():
        if shown.analysis is not None:
            assert [each.label - 1 for each in shown.analysis.folds] == [code_of(shown)]
        if shown.tracked is not None:
            assert shown.tracked.frame is shown.frame
            (found,) = shown.tracked.folds
            frames = code_of(shown) - (found.label - 1)
            assert shown.tracked.age_ms == pytest.approx(1e3 * frames * FRAME_S, abs=0.5)
            ages_ms.add(round(shown.tracked.age_ms))
    assert len(ages_ms) >= min(2, lag + 1)


def test_low_latency_folds_are_withdrawn_when_too_old(clip: Path) -> None:
    every = list(Slow(clip, Mode.LOW_LATENCY, lag=3).play())
    ages_ms = [each.tracked.age_ms for each in every if each.tracked is not None]
    assert max(ages_ms) <= 1e3 * LONGEST_S + 0.5
    assert ShownState.LATE in {each.state for each in every[20:]}


@pytest.mark.parametrize("mode", Mode)
def test_the_picture_never_waits_for_the_folds(clip: Path, mode: Mode) -> None:
    """In low latency the newest is shown; in matched at most two frames or 100 ms before it."""
    slow = Slow(clip, mode, lag=9)
    for shown in slow.play():
        newest = round(slow.pipeline.position_s / FRAME_S)
        behind = newest - code_of(shown)
        assert 0 <= behind <= (5 if mode is Mode.MATCHED else 0)


def test_late_is_said_exactly_where_a_playing_picture_is_bare(clip: Path) -> None:
    for shown in Slow(clip, Mode.LOW_LATENCY, lag=9).play():
        is_bare = shown.analysis is None and shown.tracked is None
        assert (shown.state is ShownState.LATE) == is_bare


def test_the_mode_can_be_changed_while_playing(clip: Path) -> None:
    slow = Slow(clip, Mode.MATCHED, lag=3)
    states = []
    for number, shown in enumerate(slow.play()):
        if number == 40:
            slow.pipeline.set_mode(Mode.LOW_LATENCY)
        states.append(shown.state)
    assert ShownState.TRACKED not in states[:41]
    assert ShownState.TRACKED in states[41:]


def test_folds_are_moved_to_the_newest_picture(clip: Path) -> None:
    slow = Slow(clip, Mode.LOW_LATENCY, lag=2)
    moved = 0
    for shown in slow.play():
        if shown.tracked is not None:
            expected = slow.analyser.foreseen(shown.tracked.frame)
            assert expected is not None
            outline = expected.folds[0].contour
            assert eventually(
                lambda outline=outline: (
                    slow.pipeline.newest().tracked is not None
                    and np.array_equal(slow.pipeline.newest().tracked.folds[0].contour, outline)
                )
            )
            assert slow.pipeline.newest().tracked is slow.pipeline.newest().tracked
            moved += not np.array_equal(outline, rectangle(10, 10, 40, 30))
    assert moved > 5
