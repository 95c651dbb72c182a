"""What every recorded source promises, checked on each kind and on each awkward video."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.sources import SOURCES, VideoSource, open_source
from engine.types import Frame
from tests.clips import (
    B_FRAMES,
    EDIT_LIST,
    GREY,
    LATE_START,
    ODD,
    ONE_PIXEL,
    OPEN_GOP,
    TEN_BIT,
    UNEVEN,
    Clip,
    picture,
    write_clip,
)


def _stills(folder: Path) -> str:
    for number in range(12):
        cv2.imwrite(str(folder / f"still {number}.png"), picture(number)[..., ::-1])
    return str(folder)


def _video(name: str, clip: Clip) -> Callable[[Path], str]:
    return lambda folder: str(write_clip(folder / name, clip))


SPECS: dict[str, Callable[[Path], str]] = {
    "pattern": lambda folder: "pattern:160x120@25,frames=12",
    "stills": _stills,
    "file": _video("plain.mp4", Clip()),
    "file, B-frames": _video("b.mp4", B_FRAMES),
    "file, open groups": _video("open.mp4", OPEN_GOP),
    "file, uneven times": _video("uneven.mkv", UNEVEN),
    "file, uneven times in MP4": _video("uneven.mp4", UNEVEN),
    "file, late start": _video("late.mp4", LATE_START),
    "file, edit list": _video("edit.mp4", EDIT_LIST),
    "file, transport stream": _video("stream.ts", B_FRAMES),
    "file, rotated": _video("rotated.mp4", Clip(rotation=90)),
    "file, 10 bit": _video("ten.mp4", TEN_BIT),
    "file, grey": _video("grey.mp4", GREY),
    "file, odd size": _video("odd.mp4", ODD),
    "file, one pixel": _video("one.mkv", ONE_PIXEL),
}


@pytest.fixture(params=SPECS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VideoSource]:
    opened = open_source(SPECS[request.param](tmp_path))
    yield opened
    opened.close()


def read_all(source: VideoSource) -> list[Frame]:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def test_every_kind_is_covered() -> None:
    live = {"simulated", "stream", "device", "screen"}  # see test_live_sources
    assert {name.split(",")[0] for name in SPECS} == set(SOURCES) - live


def test_frames_are_what_info_says(source: VideoSource) -> None:
    shapes = {frame.image.shape for frame in read_all(source)}
    assert shapes == {(source.info.height, source.info.width, 3)}


def test_frames_are_read_only_rgb_bytes(source: VideoSource) -> None:
    frame = source.read()
    assert frame is not None
    assert frame.image.dtype == np.uint8
    assert not frame.image.flags.writeable


def test_time_starts_at_zero(source: VideoSource) -> None:
    frame = source.read()
    assert frame is not None
    assert frame.pts_s == 0.0


def test_time_stamps_increase(source: VideoSource) -> None:
    stamps = [frame.pts_s for frame in read_all(source)]
    assert all(later > earlier for earlier, later in pairwise(stamps))


def test_time_stamps_are_whole_numbers_of_the_time_base(source: VideoSource) -> None:
    ticks = [frame.pts_s / source.info.time_base for frame in read_all(source)]
    assert ticks == pytest.approx([round(tick) for tick in ticks], abs=1e-6)


def test_frames_are_numbered_from_zero(source: VideoSource) -> None:
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(len(frames)))


def test_the_end_stays_the_end(source: VideoSource) -> None:
    read_all(source)
    assert source.read() is None


def test_a_whole_source_has_no_note(source: VideoSource) -> None:
    read_all(source)
    assert source.note is None


def test_seeking_to_a_time_stamp_gives_that_very_frame(source: VideoSource) -> None:
    frames = read_all(source)
    order = np.random.default_rng(0).permutation(len(frames))
    for wanted in (frames[position] for position in order):
        source.seek(wanted.pts_s)
        found = source.read()
        assert found is not None
        assert (found.pts_s, found.index) == (wanted.pts_s, wanted.index)
        assert np.array_equal(found.image, wanted.image)


def test_seeking_between_time_stamps_gives_the_frame_shown_then(source: VideoSource) -> None:
    frames = read_all(source)
    first, second = frames[1], frames[2]
    source.seek(0.75 * second.pts_s + 0.25 * first.pts_s)
    found = source.read()
    assert found is not None
    assert found.pts_s == first.pts_s


def test_reading_goes_on_after_a_seek(source: VideoSource) -> None:
    frames = read_all(source)
    source.seek(frames[1].pts_s)
    assert [frame.pts_s for frame in read_all(source)] == [frame.pts_s for frame in frames[1:]]


def test_seeking_before_the_start_gives_the_first_frame(source: VideoSource) -> None:
    read_all(source)
    source.seek(-3.0)
    found = source.read()
    assert found is not None
    assert found.pts_s == 0.0


def test_seeking_behind_the_end_gives_the_last_frame(source: VideoSource) -> None:
    last = read_all(source)[-1]
    source.seek(1e4)
    found = source.read()
    assert found is not None
    assert found.pts_s == last.pts_s


def test_a_source_can_be_closed_twice(source: VideoSource) -> None:
    source.close()
    source.close()
