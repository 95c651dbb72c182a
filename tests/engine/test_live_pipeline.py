"""The player on a live source: the newest picture, no signal, and what cannot be asked of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from engine.pipeline import Pipeline, ShownState
from tests.engine.sources.test_live import Desk
from tests.engine.test_pipeline import eventually
from tests.fakes import WAIT_S, EasyAnalyser, GatedAnalyser

Start = Callable[..., Pipeline]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def start(desk: Desk) -> Iterator[Start]:
    started: list[Pipeline] = []

    def make(analyser: EasyAnalyser | None = None) -> Pipeline:
        pipeline = Pipeline(desk.live, analyser or EasyAnalyser(), clock=desk.clock)
        started.append(pipeline)
        pipeline.start()
        assert eventually(lambda: pipeline.status().frames_in == 1)
        return pipeline

    yield make
    for pipeline in started:
        pipeline.close()


def _is_live(pipeline: Pipeline) -> bool:
    return pipeline.newest().state is ShownState.LIVE


def _lose(desk: Desk, pipeline: Pipeline) -> None:
    assert eventually(lambda: _is_live(pipeline))
    desk.clock.advance(0.3)


def test_a_live_picture_comes_with_its_own_folds(desk: Desk, start: Start) -> None:
    pipeline = start()
    assert eventually(lambda: _is_live(pipeline))
    shown = pipeline.newest()
    assert shown.analysis is not None
    assert shown.analysis.frame is shown.frame


def test_a_live_picture_keeps_the_moment_of_its_capture(desk: Desk, start: Start) -> None:
    pipeline = start()
    frame = pipeline.newest().frame
    assert frame is not None
    assert frame.captured_s == pytest.approx(100.0)


def test_without_signal_neither_picture_nor_folds_are_shown(desk: Desk, start: Start) -> None:
    pipeline = start()
    _lose(desk, pipeline)
    shown = pipeline.newest()
    assert (shown.frame, shown.analysis, shown.state) == (None, None, ShownState.NO_SIGNAL)


def test_the_status_carries_the_signal(desk: Desk, start: Start) -> None:
    pipeline = start()
    signal = pipeline.status().signal
    assert signal is not None
    assert signal.is_present
    _lose(desk, pipeline)
    signal = pipeline.status().signal
    assert signal is not None
    assert not signal.is_present


def test_pictures_return_with_the_signal(desk: Desk, start: Start) -> None:
    pipeline = start()
    _lose(desk, pipeline)
    desk.feeds[0].show()
    assert eventually(lambda: _is_live(pipeline))


def test_the_picture_before_a_loss_is_not_shown_again_when_the_signal_returns(
    desk: Desk, start: Start
) -> None:
    pipeline = start()
    _lose(desk, pipeline)
    assert pipeline.stop()  # so that the new picture stays where it arrives
    desk.feeds[0].show()
    assert desk.comes_true(lambda: desk.live.signal.is_present)
    assert pipeline.newest().frame is None


def test_the_analyser_forgets_what_was_before_a_break(desk: Desk, start: Start) -> None:
    analyser = EasyAnalyser()
    pipeline = start(analyser)
    assert eventually(lambda: _is_live(pipeline))
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: len(desk.feeds) == 2, 0.05)
    desk.feeds[1].show()
    assert eventually(lambda: _is_live(pipeline))
    assert analyser.resets == [0, 1]


def test_folds_of_a_picture_before_a_break_are_never_shown(desk: Desk, start: Start) -> None:
    analyser = GatedAnalyser()
    pipeline = start(analyser)
    assert analyser.is_busy.wait(WAIT_S)
    desk.feeds[0].show(size=(8, 6))
    assert eventually(lambda: pipeline.status().frames_in == 2)
    analyser.allow(1)
    assert eventually(lambda: pipeline.status().analysed == 1)
    assert pipeline.newest().analysis is None
    analyser.allow(100)


def test_a_frozen_picture_stays_without_a_signal(desk: Desk, start: Start) -> None:
    pipeline = start()
    pipeline.pause()
    _lose(desk, pipeline)
    assert pipeline.newest().frame is not None


def test_after_a_freeze_the_newest_picture_is_next(desk: Desk, start: Start) -> None:
    pipeline = start()
    pipeline.pause()
    # The worker may be in the middle of reading; one picture may still come through.
    before = pipeline.status().frames_in
    for _ in range(5):
        desk.feeds[0].show()
    assert eventually(lambda: desk.live.signal.replaced >= 3)
    pipeline.play()
    desk.feeds[0].show()
    assert eventually(lambda: (frame := pipeline.newest().frame) is not None and frame.index == 6)
    assert before <= 2


@pytest.mark.parametrize(
    "wish",
    [
        lambda pipeline: pipeline.seek(3.0),
        lambda pipeline: pipeline.set_speed(2.0),
        lambda pipeline: pipeline.play(),
    ],
)
def test_a_live_source_is_neither_sought_nor_sped_up(
    desk: Desk, start: Start, wish: Callable[[Pipeline], None]
) -> None:
    pipeline = start()
    wish(pipeline)
    desk.feeds[0].show()
    assert eventually(lambda: (frame := pipeline.newest().frame) is not None and frame.index == 1)
    assert pipeline.speed == 1.0


def test_a_step_back_only_freezes(desk: Desk, start: Start) -> None:
    pipeline = start()
    pipeline.step(-1)
    assert not pipeline.is_playing
    frame = pipeline.newest().frame
    assert frame is not None
    assert frame.index == 0


def test_pictures_that_were_replaced_before_decoding_count_as_dropped(
    desk: Desk, start: Start
) -> None:
    pipeline = start()
    pipeline.pause()
    for _ in range(6):
        desk.feeds[0].show()
    assert eventually(lambda: pipeline.status().frames_in >= 6)
    assert pipeline.status().dropped >= 4


def test_stopping_is_quick_while_nothing_comes(desk: Desk, start: Start) -> None:
    pipeline = start()
    started_s = time.monotonic()
    assert pipeline.stop()
    assert time.monotonic() - started_s < 1.0
