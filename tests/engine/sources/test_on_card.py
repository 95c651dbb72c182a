"""Which decoded frames stay on the card, and what is said of those that do not."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from engine.card import CardFront
from engine.preprocess import Placement
from engine.sources import open_source
from engine.sources.feed import AvFeed, Input
from engine.sources.on_card import CardKeeper
from engine.types import Frame
from tests.clips import Clip, write_clip
from tests.engine.sources.failing_card import FailingCard

GRID = 48
ALWAYS = 10_000


def picture(pixels: str = "nv12", width: int = 64, height: int = 48) -> Any:
    raw = av.VideoFrame(width, height, pixels)
    raw.colorspace = 1
    return raw


def shown(raw: Any) -> np.ndarray:
    return np.zeros((raw.height, raw.width, 3), np.uint8)


def on_grid(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """What is on the card, and what is here, on the grid."""
    height, width = frame.image.shape[:2]
    placement = Placement.fit((0, 0, width, height), GRID)
    inside = np.ones((GRID, GRID, 3), np.uint8)
    assert frame.on_card is not None
    found = CardFront()(frame.on_card, placement, inside).here
    return found.astype(int), placement.image_to_grid(frame.image).astype(int)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (picture("p010le"), "to p010le, not nv12"),
        (picture("yuv444p"), "to yuv444p, not nv12"),
        (picture(width=63), "63x48 is odd"),
        (picture(height=47), "64x47 is odd"),
    ],
)
def test_frames_that_cannot_be_used_there_are_named_once(raw: Any, why: str) -> None:
    keep = CardKeeper()
    assert keep(raw, shown(raw)) is None
    assert why in (keep.note or "")
    good = picture()
    assert keep(good, shown(good)) is None


@pytest.mark.parametrize("space", [0, 4, 8, 9])
def test_unknown_colours_are_refused(space: int) -> None:
    raw, keep = picture(), CardKeeper()
    raw.colorspace = space
    assert keep(raw, shown(raw)) is None
    assert f"colour space, {space}, is not known" in (keep.note or "")


def test_a_frame_that_is_scaled_to_be_shown_is_refused() -> None:
    keep = CardKeeper()
    assert keep(picture(), np.zeros((24, 32, 3), np.uint8)) is None
    assert "turned or scaled" in (keep.note or "")


def test_an_upright_frame_of_known_colours_is_kept_without_a_word() -> None:
    raw, keep = picture(), CardKeeper()
    assert keep(raw, shown(raw)) is not None
    assert keep.note is None


def test_a_file_decoded_on_the_card_gives_its_frames_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(ticks=range(4)))
    monkeypatch.setattr("engine.sources.file.open_container", FailingCard(ALWAYS, is_kept=True))
    with closing(open_source(path)) as source:
        frames = [source.read() for _ in range(4)]
        assert source.info.decoder == "h264 (cuda, kept on the card)"
        assert source.note is None
    for frame in frames:
        assert frame is not None
        there, here = on_grid(frame)
        assert np.abs(there - here).mean() < 2


def test_a_turned_video_takes_the_way_through_main_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(ticks=range(4), rotation=90))
    monkeypatch.setattr("engine.sources.file.open_container", FailingCard(ALWAYS, is_kept=True))
    with closing(open_source(path)) as source:
        frame = source.read()
        assert frame is not None
        assert frame.on_card is None
        assert "turned" in (source.note or "")


def test_where_the_card_gives_up_frames_are_here_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip(ticks=range(60), options={"bf": "0", "g": "12"})
    path = write_clip(tmp_path / "clip.mp4", clip)
    monkeypatch.setattr("engine.sources.file.open_container", FailingCard(10, is_kept=True))
    with closing(open_source(path)) as source:
        frames = [source.read() for _ in range(60)]
        assert source.info.decoder == "h264 (software, 1 thread)"
    is_kept = [frame is not None and frame.on_card is not None for frame in frames]
    assert is_kept[0]
    assert is_kept == sorted(is_kept, reverse=True)
    assert not is_kept[-1]


def test_a_stream_decoded_on_the_card_keeps_what_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.ts", Clip(ticks=range(4)))
    monkeypatch.setattr("engine.sources.feed.open_container", FailingCard(ALWAYS, is_kept=True))
    with closing(AvFeed(Input("clip", str(path)), 5.0)) as feed:
        received = None
        while received is None:
            received = feed.read()
        assert received.keep is not None
        image = received.draw()
        frame = Frame(0, 0.0, 0.0, image, received.keep(image))
    there, here = on_grid(frame)
    assert np.abs(there - here).mean() < 2
