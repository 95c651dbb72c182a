"""What this installation can decode, and what it does where hardware was asked for."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import av
import pytest

from engine.errors import SourceError
from engine.sources import open_source
from engine.sources.decoders import (
    CHOICES,
    FORMATS,
    HARDWARE,
    Decoding,
    decodable_formats,
    hardware_kinds,
    hardware_problem,
    has_decoder,
    keeping_problem,
    open_container,
)
from tests.clips import Clip, write_clip


class Context:
    """A decoder's state, as PyAV tells it."""

    name = "h264"
    thread_count = 1

    def __init__(self, is_hwaccel: bool) -> None:
        self.is_hwaccel = is_hwaccel


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip())


@pytest.mark.parametrize("name", FORMATS)
def test_the_pinned_av_reads_every_format(name: str) -> None:
    assert name in decodable_formats()


def test_an_unknown_format_is_not_claimed() -> None:
    assert not has_decoder("no-such-codec")


def test_hardware_that_this_build_knows_is_hardware_that_haustra_uses() -> None:
    assert set(hardware_kinds()) <= set(HARDWARE)


@pytest.mark.parametrize("kind", HARDWARE)
def test_every_kind_of_hardware_works_or_has_a_reason_not_to(kind: str) -> None:
    problem = hardware_problem(kind)
    assert problem is None or len(problem) > 10


def test_hardware_unknown_to_this_build_is_said_to_be_so() -> None:
    unknown = next(kind for kind in HARDWARE if kind not in hardware_kinds())
    assert hardware_problem(unknown) == "this build of FFmpeg does not know it"


@pytest.mark.parametrize("choice", CHOICES)
def test_a_video_plays_whatever_decoder_is_asked_for(clip: Path, choice: str) -> None:
    source = open_source(clip, decoder=choice)
    frame = source.read()
    source.close()
    assert frame is not None
    wanted = choice if choice in HARDWARE else "software"
    assert wanted in source.info.decoder or wanted in (source.note or "")


@pytest.mark.parametrize("choice", HARDWARE)
def test_hardware_that_was_named_and_is_missing_is_told(clip: Path, choice: str) -> None:
    if hardware_problem(choice) is None:
        pytest.skip(f"{choice} works here")
    source = open_source(clip, decoder=choice)
    note = source.note
    source.close()
    assert note is not None
    assert note.startswith(f"{choice} cannot decode here")


def test_nothing_is_said_where_nothing_was_named(clip: Path) -> None:
    source = open_source(clip)
    assert source.note is None
    source.close()


def test_an_unknown_decoder_is_refused_with_the_known_ones(clip: Path) -> None:
    with pytest.raises(SourceError, match="videotoolbox"):
        open_source(clip, decoder="abacus")


def test_a_file_that_cannot_be_opened_is_not_blamed_on_the_decoder(tmp_path: Path) -> None:
    with pytest.raises(av.FFmpegError):
        open_container(str(tmp_path / "none.mp4"))


def test_pictures_from_a_card_prove_that_it_decodes() -> None:
    picture = av.VideoFrame(16, 16, "nv12")
    found = Decoding(hardware="cuda").verified(Context(is_hwaccel=True), picture)
    assert (found.description, found.notice) == ("h264 (cuda)", None)


@pytest.mark.parametrize(("is_hwaccel", "pixels"), [(True, "yuv420p"), (False, "nv12")])
def test_silent_software_decoding_is_found_out(is_hwaccel: bool, pixels: str) -> None:
    picture = av.VideoFrame(16, 16, pixels)
    found = Decoding(hardware="cuda").verified(Context(is_hwaccel), picture)
    assert found.description == "h264 (software, 1 thread)"
    assert found.notice == "cuda cannot decode this h264 video; software decodes it."


def test_software_decoding_keeps_nothing_on_a_card() -> None:
    kept = Decoding(hardware="cuda", is_kept=True)
    found = kept.verified(Context(is_hwaccel=False), av.VideoFrame(16, 16, "yuv420p"))
    assert not found.is_kept
    assert not kept.replaced(Context(is_hwaccel=False)).is_kept


def test_where_frames_stay_is_said() -> None:
    picture = av.VideoFrame(16, 16, "nv12")
    found = Decoding(hardware="cuda", is_kept=True).verified(Context(is_hwaccel=True), picture)
    assert found.description == "h264 (cuda, kept on the card)"


def test_frames_stay_on_a_card_or_there_is_a_reason_not_to() -> None:
    problem = keeping_problem()
    assert problem is None or len(problem) > 10


def test_a_pyav_that_cannot_keep_frames_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sources.decoders.av.VideoFrame", object)
    assert keeping_problem() == f"PyAV {av.__version__} is too old"


@pytest.mark.parametrize("refuses_all", [False, True])
def test_a_card_that_keeps_no_pictures_still_decodes_them(
    clip: Path, monkeypatch: pytest.MonkeyPatch, refuses_all: bool
) -> None:
    """As FFmpeg refuses a context that others use in another way, or every context."""
    really_open = av.open

    def open_without_keeping(url: str, hwaccel: Any = None, **arguments: Any) -> Any:
        if hwaccel is not None and (hwaccel.is_hw_owned or refuses_all):
            raise OSError(errno.ENOTSUP, "Operation not supported")
        return really_open(url, **arguments)

    monkeypatch.setattr("engine.sources.decoders.hardware_problem", lambda kind: None)
    monkeypatch.setattr("engine.sources.decoders.keeping_problem", lambda: None)
    monkeypatch.setattr("engine.sources.decoders.av.open", open_without_keeping)
    container, decoding = open_container(str(clip), "cuda")
    container.close()
    assert not decoding.is_kept
    if refuses_all:
        assert decoding.hardware is None
        assert decoding.notice == (
            "cuda does not decode (Operation not supported); software decodes."
        )
    else:
        assert decoding.hardware == "cuda"
        assert decoding.notice == (
            "cuda keeps no pictures (Operation not supported); they go through main memory."
        )
