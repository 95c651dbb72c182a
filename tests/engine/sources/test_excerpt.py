"""The first seconds of a source, live or not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.errors import SourceError
from engine.sources import VideoSource, open_source
from engine.sources.excerpt import PATIENCE_S, Excerpt
from engine.sources.pattern import Pattern
from engine.timing import ManualClock
from engine.types import Frame
from tests.engine.sources.test_live import Desk


def _stamps(source: VideoSource) -> list[float]:
    return [frame.pts_s for frame in iter(source.read, None)]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.live.close()


def test_a_recording_is_cut() -> None:
    excerpt = Excerpt(Pattern("pattern:160x120@50,frames=500"), 0.1)
    assert _stamps(excerpt) == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])
    assert excerpt.read() is None


def test_a_short_recording_ends_where_it_ends() -> None:
    assert len(_stamps(Excerpt(Pattern("pattern:160x120@50,frames=3"), 9.0))) == 3


def test_seconds_count_from_where_one_starts() -> None:
    excerpt = Excerpt(Pattern("pattern:160x120@50,frames=500"), 0.04)
    excerpt.seek(2.0)
    assert _stamps(excerpt) == pytest.approx([2.0, 2.02])


def test_a_live_source_gets_an_end() -> None:
    excerpt = Excerpt(open_source("live:pattern:160x120@50,frames=500"), 0.2)
    stamps = _stamps(excerpt)
    excerpt.close()
    assert stamps[-1] == pytest.approx(0.2, abs=0.06)


def test_a_signal_that_stays_away_ends_the_recording_and_says_why(desk: Desk) -> None:
    class Hurried(ManualClock):
        def now_s(self) -> float:
            self.advance(PATIENCE_S / 4)
            return super().now_s()

    excerpt = Excerpt(desk.live, 60.0, Hurried())
    assert excerpt.read() is not None
    assert excerpt.read() is None
    assert excerpt.note == "Camera 1 sent no more pictures."


def test_a_change_of_size_ends_the_recording_and_says_so(desk: Desk) -> None:
    excerpt = Excerpt(desk.live, 60.0)
    first = excerpt.read()
    assert isinstance(first, Frame)
    assert np.shape(first.image) == (4, 6, 3)
    desk.feeds[0].show(size=(8, 6))
    assert excerpt.read() is None
    assert "changed its size; the recording ends" in (excerpt.note or "")


@pytest.mark.parametrize("longest_s", [0.0, -1.0, float("nan")])
def test_no_length_at_all_is_refused(longest_s: float) -> None:
    with pytest.raises(SourceError):
        Excerpt(Pattern("pattern:160x120@50"), longest_s)
