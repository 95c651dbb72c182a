"""A simulated procedure: pictures come when due, and the first follows the last."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from engine.errors import SourceError
from engine.sources import open_source
from engine.sources.pattern import Pattern, read_code
from engine.sources.simulated import PacedFeed, open_simulated
from engine.timing import ManualClock


class SteppingClock(ManualClock):
    """Whoever waits on it finds that the time has passed; remembers how long each wait was."""

    def __init__(self) -> None:
        super().__init__(50.0)
        self.waits_s: list[float] = []

    def wait(self, event: object, timeout_s: float) -> bool:
        self.waits_s.append(timeout_s)
        self.advance(max(0.0, timeout_s))
        return False


def _codes(feed: PacedFeed, count: int) -> list[int | None]:
    pictures = [feed.read() for _ in range(count)]
    return [None if each is None else read_code(each.draw()) for each in pictures]


def test_pictures_come_when_they_are_due() -> None:
    feed = PacedFeed(Pattern("pattern:160x120@50,frames=500"), SteppingClock())
    captured = [picture.captured_s for picture in (feed.read() for _ in range(4)) if picture]
    assert captured == pytest.approx([50.0, 50.02, 50.04, 50.06])


def test_the_first_picture_follows_the_last_at_the_same_pace() -> None:
    feed = PacedFeed(Pattern("pattern:160x120@50,frames=3"), SteppingClock())
    assert _codes(feed, 5) == [0, 1, 2, None, 0]
    again = feed.read()
    assert again is not None
    assert again.captured_s == pytest.approx(50.08)


def test_a_delay_is_not_made_up_for_by_a_sprint() -> None:
    clock = SteppingClock()
    feed = PacedFeed(Pattern("pattern:160x120@50,frames=500"), clock)
    _codes(feed, 2)
    clock.advance(10.0)
    _codes(feed, 3)
    assert clock.waits_s[-2:] == pytest.approx([0.02, 0.02])


def test_a_recording_behaves_like_a_camera() -> None:
    with closing(open_source("live:pattern:160x120@50,frames=500")) as source:
        assert (source.info.is_live, source.info.name) == (True, "pattern 160x120, as if live")


@pytest.mark.parametrize("inner", ["device:0", "udp://:5000", "live:exam.mp4"])
def test_what_is_live_already_is_refused(inner: str) -> None:
    with pytest.raises(SourceError, match="live already"):
        open_simulated(f"live:{inner}")


@pytest.mark.parametrize("make", [open_source, open_simulated])
def test_a_recording_that_is_not_there_is_told_as_ever(make: Callable[[str], object]) -> None:
    with pytest.raises(SourceError, match="no file or folder"):
        make("live:nowhere.mp4")
