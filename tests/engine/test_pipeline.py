"""The player with its threads, on a clock that the test moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from engine.errors import SourceError
from engine.pipeline import Pace, Pipeline, Shown, ShownState
from engine.sources import VideoSource
from engine.sources.pattern import Pattern, read_code
from engine.stages import Analyse
from engine.timing import ManualClock
from engine.types import Frame, WorkerState
from tests.fakes import WAIT_S, EasyAnalyser, FailingAnalyser, GatedAnalyser

FRAME_S = 0.02


def eventually(is_so: Callable[[], bool]) -> bool:
    """Whether `is_so` comes true; returns as soon as it does."""
    give_up_s = time.monotonic() + WAIT_S
    while not is_so():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.001)
    return True


class Player:
    """A pipeline on a manual clock, and words for what a test does with it."""

    def __init__(
        self, analyser: Analyse | None, *, frames: int = 60, source: VideoSource | None = None
    ) -> None:
        self.clock = ManualClock()
        self.analyser = analyser
        self.source = source or Pattern(f"pattern:128x64@50,frames={frames}")
        self.pipeline = Pipeline(self.source, analyser, clock=self.clock)

    def shows(self, index: int) -> bool:
        """Whether frame `index` comes to be seen."""
        return eventually(lambda: self.index == index)

    def analyses(self, count: int) -> bool:
        return eventually(lambda: self.pipeline.status().analysed >= count)

    def play_to(self, index: int) -> None:
        """Move time by one frame after another until `index` has come out of the source."""
        while round(self.pipeline.position_s / FRAME_S) < index:
            before_s = self.pipeline.position_s
            # A little more, because sums of 0.02 fall short of their product.
            self.clock.advance(FRAME_S + 1e-6)
            assert eventually(lambda before_s=before_s: self.pipeline.position_s > before_s)

    @property
    def shown(self) -> Shown:
        return self.pipeline.newest()

    @property
    def index(self) -> int:
        frame = self.shown.frame
        return -1 if frame is None else frame.index


@pytest.fixture
def start() -> Iterator[Callable[..., Player]]:
    players: list[Player] = []

    def make(analyser: Analyse | None = None, **options: object) -> Player:
        player = Player(analyser, **options)  # type: ignore[arg-type]
        players.append(player)
        player.pipeline.start()
        assert eventually(lambda: player.pipeline.status().frames_in > 0)
        return player

    yield make
    for player in players:
        if isinstance(player.analyser, GatedAnalyser):
            player.analyser.allow(10_000)
        assert player.pipeline.stop(WAIT_S)


Start = Callable[..., Player]


# Playing


def test_the_first_frame_is_shown_at_once(start: Start) -> None:
    assert start(EasyAnalyser()).shows(0)


def test_a_frame_waits_until_its_time(start: Start) -> None:
    player = start()
    player.clock.advance(FRAME_S / 2)
    assert player.pipeline.position_s == 0.0


def test_frames_follow_time(start: Start) -> None:
    player = start(EasyAnalyser())
    player.play_to(5)
    assert player.shows(5)


def test_double_speed_needs_half_the_time(start: Start) -> None:
    player = start()
    player.pipeline.set_speed(2.0)
    for expected in (1, 2, 3):
        player.clock.advance(FRAME_S / 2)
        assert player.shows(expected)


@pytest.mark.parametrize("speed", [0.0, -1.0, 1000.0, float("nan")])
def test_an_impossible_speed_is_refused(start: Start, speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        start().pipeline.set_speed(speed)


def test_a_paused_player_stays_where_it_is(start: Start) -> None:
    player = start()
    player.play_to(3)
    player.pipeline.pause()
    player.clock.advance(10.0)
    assert player.index == 3


def test_playing_goes_on_from_the_pause(start: Start) -> None:
    player = start()
    player.play_to(3)
    player.pipeline.pause()
    player.clock.advance(10.0)
    player.pipeline.play()
    player.play_to(4)
    assert player.shows(4)


def test_a_long_delay_is_not_made_up_for_by_a_sprint(start: Start) -> None:
    player = start(frames=1000)
    player.clock.advance(5.0)
    assert player.shows(1)
    player.clock.advance(FRAME_S)
    assert player.shows(2)


def test_the_player_can_start_paused() -> None:
    clock = ManualClock()
    pipeline = Pipeline(Pattern("pattern:128x64"), None, clock=clock, is_playing=False)
    pipeline.start()
    assert eventually(lambda: pipeline.newest().frame is not None)
    clock.advance(10.0)
    assert pipeline.position_s == 0.0
    assert pipeline.stop(WAIT_S)


def test_flat_out_needs_no_time_at_all() -> None:
    pipeline = Pipeline(
        Pattern("pattern:128x64,frames=50"), None, pace=Pace.FLAT_OUT, clock=ManualClock()
    )
    pipeline.start()
    assert eventually(lambda: pipeline.status().at_end)
    assert pipeline.status().frames_in == 50
    assert pipeline.stop(WAIT_S)


# The end


def test_the_last_frame_stays(start: Start) -> None:
    player = start(EasyAnalyser(), frames=3)
    player.play_to(2)
    player.clock.advance(FRAME_S)
    assert eventually(lambda: player.pipeline.status().at_end)
    assert player.shows(2)


def test_the_last_frame_has_its_folds(start: Start) -> None:
    player = start(EasyAnalyser(), frames=3)
    player.play_to(2)
    assert eventually(lambda: player.index == 2 and player.shown.analysis is not None)


def test_the_player_rests_at_the_end(start: Start) -> None:
    player = start(frames=3)
    player.play_to(2)
    assert eventually(lambda: not player.pipeline.is_playing)


def test_play_at_the_end_starts_again(start: Start) -> None:
    player = start(frames=3)
    player.play_to(2)
    assert eventually(lambda: player.pipeline.status().at_end)
    player.pipeline.play()
    assert player.shows(0)
    assert not player.pipeline.status().at_end


# Seek and step


def test_a_seek_shows_the_frame_of_that_time(start: Start) -> None:
    player = start()
    player.pipeline.seek(0.5)
    assert player.shows(25)


def test_a_seek_while_paused_stays_paused(start: Start) -> None:
    player = start()
    player.pipeline.pause()
    player.pipeline.seek(0.5)
    assert player.shows(25)
    assert not player.pipeline.is_playing


def test_the_position_is_that_of_the_seek_at_once(start: Start) -> None:
    player = start()
    player.pipeline.seek(0.5)
    assert player.pipeline.position_s == pytest.approx(0.5)


def test_the_last_of_many_seeks_wins(start: Start) -> None:
    player = start()
    for index in (40, 3, 17, 25):
        player.pipeline.seek(index * FRAME_S)
    assert player.shows(25)


@pytest.mark.parametrize(("count", "expected"), [(1, 11), (3, 13), (-1, 9), (-4, 6), (-99, 0)])
def test_a_step_moves_by_frames(start: Start, count: int, expected: int) -> None:
    player = start()
    player.pipeline.pause()
    player.pipeline.seek(10 * FRAME_S)
    assert player.shows(10)
    player.pipeline.step(count)
    assert player.shows(expected)


def test_steps_add_up(start: Start) -> None:
    player = start()
    player.pipeline.pause()
    player.pipeline.seek(10 * FRAME_S)
    for count in (1, 1, -1, 1, -3, -1):
        player.pipeline.step(count)
    assert player.shows(8)


def test_a_step_back_through_frames_seen_before_is_exact(start: Start) -> None:
    player = start()
    player.play_to(12)
    player.pipeline.step(-5)
    assert player.shows(7)


def test_a_step_pauses(start: Start) -> None:
    player = start()
    player.pipeline.step(1)
    assert not player.pipeline.is_playing


def test_a_step_back_from_the_end_leaves_the_end(start: Start) -> None:
    player = start(frames=3)
    player.play_to(2)
    assert eventually(lambda: player.pipeline.status().at_end)
    player.pipeline.step(-1)
    assert player.shows(1)


# Matched overlays


def test_the_analyser_forgets_on_a_seek(start: Start) -> None:
    analyser = EasyAnalyser()
    player = start(analyser)
    assert player.analyses(1)
    player.pipeline.seek(0.5)
    assert player.analyses(2)
    assert analyser.resets[-1] == len(analyser.seen) - 1


def test_the_analyser_does_not_forget_while_playing(start: Start) -> None:
    analyser = EasyAnalyser()
    player = start(analyser)
    player.play_to(5)
    assert player.analyses(3)
    assert len(analyser.resets) == 1


def test_an_analysis_from_before_a_seek_is_never_shown(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    player.pipeline.seek(0.5)
    assert player.shows(25)
    analyser.allow(1)
    assert player.analyses(1)
    assert player.shown.analysis is None


def test_folds_are_withdrawn_when_the_model_is_late(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    analyser.allow(1)
    assert eventually(lambda: player.shown.state is ShownState.LIVE)
    player.play_to(6)
    assert player.shown.state is ShownState.LATE
    assert player.shown.analysis is None


def test_the_picture_goes_on_while_the_model_hangs(start: Start) -> None:
    player = start(GatedAnalyser())
    player.play_to(10)
    assert player.index == 10


def test_a_picture_one_frame_old_is_shown_with_its_own_folds(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    analyser.allow(1)
    assert eventually(lambda: player.shown.state is ShownState.LIVE)
    player.play_to(1)
    shown = player.shown
    assert (shown.state, player.index) == (ShownState.LIVE, 0)


def test_a_still_picture_does_not_hide_behind_the_one_before(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    analyser.allow(1)
    assert eventually(lambda: player.shown.state is ShownState.LIVE)
    player.pipeline.step(1)
    assert eventually(lambda: player.pipeline.position_s == FRAME_S)
    player.clock.advance(0.2)
    assert (player.index, player.shown.state) == (1, ShownState.LATE)


def test_frames_the_model_could_not_take_are_counted(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    player.play_to(5)
    assert player.pipeline.status().dropped == 4


def test_no_picture_ever_meets_the_folds_of_another() -> None:
    """Ten thousand random wishes while frames flow; every picture shown is checked."""
    rng = np.random.default_rng(0)
    source = Pattern("pattern:128x32@50,frames=40")
    pipeline = Pipeline(source, EasyAnalyser(), pace=Pace.FLAT_OUT)
    wishes: list[Callable[[], None]] = [
        lambda: pipeline.seek(rng.uniform(0, 0.8)),
        lambda: pipeline.step(int(rng.integers(-3, 4))),
        pipeline.play,
        pipeline.pause,
    ]
    pipeline.start()
    wrong = with_folds = 0
    for number in range(10_000):
        wishes[rng.integers(len(wishes))]()
        if number % 200 == 0:  # a busy machine may not analyse anything between two wishes
            assert eventually(lambda: pipeline.newest().analysis is not None)
        shown = pipeline.newest()
        if shown.frame is not None:
            wrong += read_code(shown.frame.image) != shown.frame.index
        if shown.analysis is not None:
            with_folds += 1
            wrong += shown.analysis.frame is not shown.frame
    assert pipeline.stop(WAIT_S)
    assert (wrong, pipeline.status().fault) == (0, None)
    assert with_folds > 0


def test_without_an_analyser_the_video_plays_bare(start: Start) -> None:
    player = start(None)
    player.play_to(3)
    assert (player.index, player.shown.analysis, player.shown.state) == (3, None, ShownState.LATE)


# Start, stop, faults


def test_before_the_start_there_is_no_signal() -> None:
    shown = Pipeline(Pattern("pattern:128x64"), None).newest()
    assert (shown.frame, shown.state) == (None, ShownState.NO_SIGNAL)


def test_stopping_twice_does_no_harm(start: Start) -> None:
    player = start(EasyAnalyser())
    assert player.pipeline.stop(WAIT_S)
    assert player.pipeline.stop(WAIT_S)


def test_a_stopped_pipeline_says_so(start: Start) -> None:
    player = start(EasyAnalyser())
    player.pipeline.stop(WAIT_S)
    assert set(player.pipeline.status().workers.values()) == {WorkerState.STOPPED}


def test_a_running_pipeline_says_so(start: Start) -> None:
    player = start(EasyAnalyser())
    assert player.pipeline.status().workers == {
        "decode": WorkerState.RUNNING,
        "analyse": WorkerState.RUNNING,
        "carry": WorkerState.RUNNING,
    }


def test_a_stopped_pipeline_can_be_started_again(start: Start) -> None:
    player = start(EasyAnalyser())
    player.pipeline.stop(WAIT_S)
    player.pipeline.start()
    player.play_to(3)
    assert player.shows(3)


def test_starting_twice_does_no_harm(start: Start) -> None:
    player = start(EasyAnalyser())
    threads = threading.active_count()
    player.pipeline.start()
    assert threading.active_count() == threads


def test_stopping_is_bounded_while_the_model_hangs(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    started_s = time.monotonic()
    assert not player.pipeline.stop(timeout_s=0.2)
    assert time.monotonic() - started_s < 2.0
    analyser.allow(1)


def test_a_worker_that_will_not_stop_is_a_fault(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    player.pipeline.stop(timeout_s=0.1)
    assert "did not stop" in str(player.pipeline.status().fault)
    analyser.allow(1)


def test_a_broken_model_is_a_fault_with_a_remedy(start: Start) -> None:
    player = start(FailingAnalyser())
    assert eventually(lambda: player.pipeline.status().fault is not None)
    assert player.pipeline.status().fault == "The back end broke. Choose another one."


def test_the_video_plays_on_when_the_model_breaks(start: Start) -> None:
    player = start(FailingAnalyser())
    assert eventually(lambda: player.pipeline.status().fault is not None)
    player.play_to(5)
    assert (player.index, player.shown.state) == (5, ShownState.FAULT)


def test_a_surprise_in_a_worker_is_a_fault(start: Start) -> None:
    player = start(FailingAnalyser(error=ZeroDivisionError("by zero")))
    assert eventually(lambda: "by zero" in str(player.pipeline.status().fault))


def test_a_faulted_pipeline_can_be_started_again(start: Start) -> None:
    analyser = FailingAnalyser(at=0)
    player = start(analyser)
    assert eventually(lambda: player.pipeline.status().fault is not None)
    analyser._at = 10**6
    player.pipeline.start()
    player.play_to(2)
    assert eventually(lambda: player.shown.state is ShownState.LIVE)


class BreakingPattern(Pattern):
    """Cannot be read beyond frame 3."""

    def read(self) -> Frame | None:
        frame = super().read()
        if frame is not None and frame.index > 3:
            raise SourceError("The disk is gone.", "Plug it in.")
        return frame


def test_a_broken_source_leaves_its_last_picture_and_says_why(start: Start) -> None:
    player = start(EasyAnalyser(), source=BreakingPattern("pattern:128x64"))
    player.play_to(3)
    player.clock.advance(FRAME_S)
    assert eventually(lambda: player.pipeline.status().fault == "The disk is gone. Plug it in.")
    assert (player.index, player.shown.state) == (3, ShownState.FAULT)


# Figures


def test_latency_counts_from_decoding_to_the_end_of_analysis(start: Start) -> None:
    analyser = GatedAnalyser()
    player = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    player.pipeline.pause()
    player.clock.advance(0.030)
    analyser.allow(1)
    assert player.analyses(1)
    assert player.pipeline.status().latency_p50_ms == pytest.approx(30.0)


def test_a_frame_is_as_old_as_its_time_on_the_screen(start: Start) -> None:
    player = start()
    player.play_to(4)
    frame = player.shown.frame
    assert frame is not None
    assert frame.captured_s == pytest.approx(4 * FRAME_S, abs=1e-4)
