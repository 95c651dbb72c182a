"""What every live source promises, checked on real streams of the loopback interface."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from engine.sources import LiveSource, open_source
from engine.sources.pattern import read_code
from engine.types import Frame
from tests.streams import WAYS, Camera, Outlet, Rtp, free_port, has_rtsp_server

_COUNT = 8
_WAIT_S = 5.0

Opened = tuple[LiveSource, Callable[[], None]]


def _stream(name: str) -> Opened:
    if name.startswith("rtsp") and not has_rtsp_server():
        pytest.skip("gst-rtsp-server is not installed: installer/packages.sh tests")
    way = WAYS[name]
    port = way.free_port()
    return _film(way.outlet(port), way.address.format(port=port))


def _sdp(folder: Path) -> Opened:
    outlet = Rtp(free_port(socket.SOCK_DGRAM))
    file = folder / "session.sdp"
    file.write_text(outlet.sdp)
    return _film(outlet, str(file))


def _film(outlet: Outlet, address: str) -> Opened:
    camera = Camera(outlet)
    try:
        return cast(LiveSource, open_source(address)), camera.stop
    except BaseException:
        camera.stop()
        raise


def _screen() -> Opened:
    if not os.environ.get("DISPLAY"):
        pytest.skip("there is no X11 screen")
    return cast(LiveSource, open_source("screen:0,0,160x120?rate=50")), lambda: None


def _simulated() -> Opened:
    return cast(LiveSource, open_source("live:pattern:160x120@50,frames=500")), lambda: None


KINDS: dict[str, Callable[[Path], Opened]] = {
    "simulated": lambda folder: _simulated(),
    "screen": lambda folder: _screen(),
    "rtp": _sdp,
    **{name: lambda folder, name=name: _stream(name) for name in WAYS},  # type: ignore[misc]
}
"""Capture devices are missing: no kernel of a test machine has one (see test_device)."""


@pytest.fixture(scope="module", params=KINDS)
def source(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveSource]:
    opened, stop = KINDS[request.param](tmp_path_factory.mktemp("live"))
    yield opened
    opened.close()
    stop()


def read_frames(source: LiveSource, count: int = _COUNT) -> list[Frame]:
    """The next `count` frames."""
    frames: list[Frame] = []
    give_up_s = time.monotonic() + _WAIT_S
    while len(frames) < count and time.monotonic() < give_up_s:
        frame = source.read()
        if frame is not None:
            frames.append(frame)
    assert len(frames) == count
    return frames


def test_a_live_source_says_so(source: LiveSource) -> None:
    assert (source.info.is_live, source.info.duration_s) == (True, None)


def test_frames_are_what_info_says(source: LiveSource) -> None:
    for frame in read_frames(source):
        assert frame.image.shape == (source.info.height, source.info.width, 3)
        assert not frame.image.flags.writeable


def test_time_stamps_increase(source: LiveSource) -> None:
    frames = read_frames(source)
    assert all(later.pts_s > earlier.pts_s for earlier, later in pairwise(frames))


def test_time_stamps_are_whole_numbers_of_the_time_base(source: LiveSource) -> None:
    ticks = [frame.pts_s / source.info.time_base for frame in read_frames(source)]
    assert ticks == pytest.approx([round(tick) for tick in ticks], abs=1e-3)


def test_frames_bear_the_moment_of_their_arrival(source: LiveSource) -> None:
    read_frames(source, 2)
    (frame,) = read_frames(source, 1)
    assert 0.0 <= time.monotonic() - frame.captured_s < 0.2


def test_each_frame_is_given_once_and_in_order(source: LiveSource) -> None:
    frames = read_frames(source)
    assert all(later.index > earlier.index for earlier, later in pairwise(frames))
    codes = [read_code(frame.image) for frame in frames]
    numbers = [code for code in codes if code is not None]
    assert len(numbers) in (0, _COUNT), "a code was lost on its way"
    assert all(later > earlier for earlier, later in pairwise(numbers))


def test_who_does_not_read_gets_the_newest_frame_and_no_older_ones(source: LiveSource) -> None:
    (before,) = read_frames(source, 1)
    until_s = time.monotonic() + _WAIT_S
    replaced = source.signal.replaced
    while source.signal.replaced < replaced + 4 and time.monotonic() < until_s:
        pass
    (after,) = read_frames(source, 1)
    assert after.index >= before.index + 4
    assert time.monotonic() - after.captured_s < 0.2


def test_seeking_does_nothing(source: LiveSource) -> None:
    (before,) = read_frames(source, 1)
    source.seek(0.0)
    (after,) = read_frames(source, 1)
    assert after.pts_s > before.pts_s


def test_the_signal_is_present_while_frames_come(source: LiveSource) -> None:
    read_frames(source, 2)
    assert source.signal.is_present


def test_a_sound_source_has_no_note(source: LiveSource) -> None:
    read_frames(source)
    assert source.note is None


def test_closing_is_quick_and_may_be_done_twice(source: LiveSource) -> None:
    started_s = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - started_s < 1.5
    assert source.read() is None
    assert not source.signal.is_present
