"""Loss of signal, return, and time stamps, with feeds and a clock moved by hand."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.card import CardPicture, Colours
from engine.errors import SourceError
from engine.sources.live import Feed, Live, Picture, Timeline
from engine.timing import ManualClock
from engine.types import Frame

_WAIT_S = 5.0
_GREY = np.full((4, 6, 3), 90, np.uint8)


class HandFed:
    """A feed that gives what the test hands to it: pictures, or the error that ends it."""

    decoder = "by hand"
    note: str | None = None

    def __init__(self, clock: ManualClock, frame_rate_hz: float | None = 50.0) -> None:
        self.frame_rate_hz = frame_rate_hz
        self.is_closed = threading.Event()
        self._clock = clock
        self._handed: queue.SimpleQueue[Picture | SourceError] = queue.SimpleQueue()

    def show(self, pts_s: float | None = None, size: tuple[int, int] = (6, 4)) -> None:
        image = np.full((size[1], size[0], 3), 90, np.uint8)
        self._handed.put(Picture(self._clock.now_s(), pts_s, size, lambda: image))

    def fail(self) -> None:
        self._handed.put(SourceError("The plug was pulled.", "Push it in."))

    def read(self) -> Picture | None:
        try:
            handed = self._handed.get(timeout=0.01)
        except queue.Empty:
            return None
        if isinstance(handed, SourceError):
            raise handed
        return handed

    def close(self) -> None:
        self.is_closed.set()


class Desk:
    """A live source with its clock and every feed that it has opened."""

    def __init__(self, frame_rate_hz: float | None = 50.0) -> None:
        self.clock = ManualClock(100.0)
        self.feeds: list[HandFed] = []
        self.refuses = threading.Event()
        self.attempts = 0
        self._rate_hz = frame_rate_hz
        first = self._make()
        first.show(0.0)
        self.live = Live("Camera 1", self.connect, self.clock)

    def connect(self, timeout_s: float) -> Feed:
        self.attempts += 1
        if self.refuses.is_set():
            raise SourceError("Camera 1 refuses the connection.", "Start it.")
        return self.feeds[-1] if not self.feeds[-1].is_closed.is_set() else self._make()

    def _make(self) -> HandFed:
        self.feeds.append(HandFed(self.clock, self._rate_hz))
        return self.feeds[-1]

    def read(self) -> Frame:
        give_up_s = time.monotonic() + _WAIT_S
        while time.monotonic() < give_up_s:
            frame = self.live.read()
            if frame is not None:
                return frame
        raise AssertionError("no frame came")

    def comes_true(self, is_so: Callable[[], bool], step_s: float = 0.0) -> bool:
        """Let time pass in steps until `is_so`."""
        give_up_s = time.monotonic() + _WAIT_S
        while not is_so():
            if time.monotonic() > give_up_s:
                return False
            self.clock.advance(step_s)
            threading.Event().wait(0.002)
        return True

    def film(self, count: int, interval_s: float) -> None:
        """Pictures at a steady pace, each of them read."""
        for _ in range(count):
            self.clock.advance(interval_s)
            self.feeds[-1].show()
            self.read()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.live.close()


def test_the_signal_is_present_for_200_ms_and_then_lost(desk: Desk) -> None:
    desk.clock.advance(0.199)
    assert desk.live.signal.is_present
    desk.clock.advance(0.002)
    assert not desk.live.signal.is_present


def test_a_slow_stream_has_two_more_frames_time() -> None:
    desk = Desk(frame_rate_hz=10.0)
    desk.read()
    desk.clock.advance(0.39)
    assert desk.live.signal.is_present
    desk.clock.advance(0.02)
    assert not desk.live.signal.is_present
    desk.live.close()


def test_the_measured_rate_counts_more_than_the_stated_one(desk: Desk) -> None:
    desk.read()
    desk.film(6, 0.1)
    desk.clock.advance(0.3)
    assert desk.live.signal.is_present


def test_a_failed_feed_is_no_signal_at_once_and_says_why(desk: Desk) -> None:
    desk.refuses.set()
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: not desk.live.signal.is_present)
    assert desk.live.signal.problem == "The plug was pulled. Push it in."


def test_a_failed_feed_is_closed(desk: Desk) -> None:
    desk.refuses.set()
    desk.feeds[0].fail()
    assert desk.feeds[0].is_closed.wait(_WAIT_S)


def test_the_signal_returns_by_itself(desk: Desk) -> None:
    desk.read()
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: len(desk.feeds) == 2, 0.05)
    desk.feeds[1].show()
    desk.read()
    assert desk.live.signal.is_present


def test_attempts_never_lie_more_than_half_a_second_apart(desk: Desk) -> None:
    desk.refuses.set()
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: desk.attempts > 8, 0.05)
    before, since_s = desk.attempts, desk.clock.now_s()
    assert desk.comes_true(lambda: desk.attempts > before, 0.05)
    assert desk.clock.now_s() - since_s <= 0.6


def test_a_frame_after_a_return_follows_no_other(desk: Desk) -> None:
    desk.read()
    before = desk.live.signal.breaks
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: len(desk.feeds) == 2, 0.05)
    desk.feeds[1].show()
    desk.read()
    assert desk.live.signal.breaks == before + 1


def test_time_goes_on_over_a_loss(desk: Desk) -> None:
    before = desk.read()
    desk.feeds[0].fail()
    assert desk.comes_true(lambda: len(desk.feeds) == 2, 0.05)
    desk.clock.advance(1.0)
    desk.feeds[1].show(pts_s=0.0)
    assert desk.read().pts_s >= before.pts_s + 1.0


def test_a_change_of_size_is_followed_and_told(desk: Desk) -> None:
    desk.read()
    info, breaks = desk.live.info, desk.live.signal.breaks
    desk.feeds[0].show(size=(8, 6))
    assert desk.read().image.shape == (6, 8, 3)
    assert (desk.live.info.width, desk.live.signal.breaks) == (8, breaks + 1)
    assert desk.live.info is not info
    assert desk.live.note == "The picture of Camera 1 is now 8x6."


def test_info_stays_the_same_object_while_nothing_changes(desk: Desk) -> None:
    desk.read()
    info = desk.live.info
    desk.film(3, 0.02)
    assert desk.live.info is info


def test_a_picture_nobody_takes_is_replaced_and_never_drawn(desk: Desk) -> None:
    desk.read()
    drawn: list[int] = []

    def draw(number: int) -> np.ndarray:
        drawn.append(number)
        return _GREY

    for number in range(3):
        picture = Picture(desk.clock.now_s(), None, (6, 4), lambda number=number: draw(number))
        desk.feeds[0]._handed.put(picture)
    assert desk.comes_true(lambda: desk.live.signal.replaced == 2)
    assert (desk.read().index, drawn) == (3, [2])


def test_a_picture_in_the_cards_memory_is_kept_there_once_it_is_drawn(desk: Desk) -> None:
    desk.read()
    planes = [torch.zeros(shape, dtype=torch.uint8) for shape in ((4, 6), (2, 3, 2))]
    there = CardPicture(*planes, Colours(0.299, 0.114, is_full=False))
    given: list[np.ndarray] = []

    def keep(image: np.ndarray) -> CardPicture:
        given.append(image)
        return there

    picture = Picture(desk.clock.now_s(), None, (6, 4), lambda: _GREY, keep)
    desk.feeds[0]._handed.put(picture)
    frame = desk.read()
    assert frame.on_card is there
    assert given[0] is _GREY
    assert frame.image is _GREY


def test_a_feed_that_cannot_be_opened_at_first_is_refused() -> None:
    def refuse(timeout_s: float) -> Feed:
        raise SourceError("Nobody answers.", "Call again.")

    with pytest.raises(SourceError, match=r"Nobody answers\. Call again\."):
        Live("Camera 1", refuse)


def test_a_surprise_while_opening_is_refused_in_words() -> None:
    def break_down(timeout_s: float) -> Feed:
        raise ZeroDivisionError("oops")

    with pytest.raises(SourceError, match="Camera 1 failed: oops"):
        Live("Camera 1", break_down)


def test_closing_does_not_wait_for_a_feed_that_hangs(desk: Desk, tmp_path: Path) -> None:
    hangs, freed = threading.Event(), threading.Event()

    class Hanging(HandFed):
        def read(self) -> Picture | None:
            hangs.set()
            freed.wait(30.0)
            return None

    first = HandFed(desk.clock)
    first.show()
    feeds: list[HandFed] = [Hanging(desk.clock), first]
    live = Live("Camera 2", lambda timeout_s: feeds.pop(), desk.clock)
    first.fail()
    assert desk.comes_true(hangs.is_set, 0.05)
    started_s = time.monotonic()
    live.close()
    assert time.monotonic() - started_s < 1.5
    freed.set()


# Time stamps


def test_the_senders_intervals_are_kept() -> None:
    line = Timeline()
    stamps = [line.stamp(7.0 + 0.02 * n, 100.0 + 0.02 * n + 0.004 * (n % 2)) for n in range(4)]
    assert stamps == pytest.approx([0.0, 0.02, 0.04, 0.06])


def test_without_time_stamps_the_moment_of_arrival_counts() -> None:
    line = Timeline()
    assert [line.stamp(None, 50.0), line.stamp(None, 50.5)] == pytest.approx([0.0, 0.5])


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0])
def test_a_jump_of_the_senders_clock_is_not_followed(jump_s: float) -> None:
    line = Timeline()
    line.stamp(10.0, 100.0)
    assert line.stamp(10.02 + jump_s, 100.02) == pytest.approx(0.02)
    assert line.stamp(10.04 + jump_s, 100.05) == pytest.approx(0.04)


def test_time_never_stands_still() -> None:
    line = Timeline()
    stamps = [line.stamp(1.0, 100.0) for _ in range(3)]
    assert stamps == sorted(set(stamps))
