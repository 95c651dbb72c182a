from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import VideoSource, open_source
from engine.sources.pattern import read_code
from engine.types import Frame, Image
from tests.clips import (
    B_FRAMES,
    EDIT_LIST,
    FAST_START,
    FOUR_K,
    LATE_START,
    UNEVEN,
    UNEVEN_TICKS,
    Clip,
    picture,
    write_clip,
    write_sound,
)
from tests.engine.sources.failing_card import FailingCard


def read_all(source: VideoSource) -> list[Frame]:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def test_b_frames_come_in_presentation_order(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "b.mp4", B_FRAMES))
    assert [read_code(frame.image) for frame in read_all(source)] == list(range(24))


@pytest.mark.parametrize("name", ["uneven.mkv", "uneven.mp4"])
def test_uneven_times_are_kept(tmp_path: Path, name: str) -> None:
    source = open_source(write_clip(tmp_path / name, UNEVEN))
    stamps_ms = [1000 * frame.pts_s for frame in read_all(source)]
    assert stamps_ms == pytest.approx(UNEVEN_TICKS)


def test_a_late_start_is_remembered(tmp_path: Path) -> None:
    info = open_source(write_clip(tmp_path / "late.mp4", LATE_START)).info
    assert info.start_pts * info.time_base == 2


def test_pictures_before_an_edit_list_are_not_shown(tmp_path: Path) -> None:
    frames = read_all(open_source(write_clip(tmp_path / "edit.mp4", EDIT_LIST)))
    assert [read_code(frame.image) for frame in frames][:2] == [5, 6]


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [(0, "upper left"), (90, "lower left"), (180, "lower right"), (-90, "upper right")],
)
def test_pictures_are_turned_upright(tmp_path: Path, rotation: int, corner: str) -> None:
    clip = Clip(size=(64, 48), ticks=range(2), rotation=rotation)
    frame = open_source(write_clip(tmp_path / "turned.mp4", clip)).read()
    assert frame is not None
    assert red_corner(frame.image) == corner


def red_corner(image: Image) -> str:
    height, width = image.shape[:2]
    redness = image[..., 0].astype(int) - image[..., 1]
    row, column = np.argwhere(redness > 100).mean(axis=0)
    vertical = "upper" if row < height / 2 else "lower"
    return f"{vertical} {'left' if column < width / 2 else 'right'}"


def test_a_quarter_turn_swaps_width_and_height(tmp_path: Path) -> None:
    clip = Clip(size=(64, 48), ticks=range(2), rotation=90)
    info = open_source(write_clip(tmp_path / "turned.mp4", clip)).info
    assert (info.width, info.height) == (48, 64)


@pytest.mark.parametrize(
    "clip",
    [
        Clip(pixels="gray"),
        Clip(pixels="yuv420p10le"),
        Clip(pixels="yuv444p"),
        Clip(codec="mpeg4"),
        Clip(codec="mjpeg", pixels="yuvj420p"),
        Clip(codec="libx264rgb", pixels="rgb24"),
        Clip(codec="libx265"),
    ],
    ids=lambda clip: f"{clip.codec} {clip.pixels}",
)
def test_every_pixel_format_looks_the_same(tmp_path: Path, clip: Clip) -> None:
    quiet = {"x265-params": "log-level=none"} if clip.codec == "libx265" else {}
    short = replace(clip, ticks=range(3), options=quiet)
    frame = open_source(write_clip(tmp_path / "clip.mkv", short)).read()
    assert frame is not None
    expected = picture(0).astype(float).mean(axis=2)[60:100, 90:]
    assert frame.image.astype(float).mean(axis=2)[60:100, 90:] == pytest.approx(expected, abs=16)


def test_4k_is_decoded_with_all_cores(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "4k.mp4", FOUR_K))
    assert [frame.image.shape for frame in read_all(source)] == [(2160, 3840, 3)] * 2


def test_info_names_the_decoder(tmp_path: Path) -> None:
    info = open_source(write_clip(tmp_path / "clip.mp4", Clip())).info
    assert info.decoder == "h264 (software, 1 thread)"


def test_info_tells_rate_and_length(tmp_path: Path) -> None:
    info = open_source(write_clip(tmp_path / "clip.mp4", Clip())).info
    assert (info.frame_rate_hz, info.frame_count) == (25.0, 24)
    assert info.duration_s == pytest.approx(0.96)


def test_a_stream_without_an_index_can_be_searched(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "raw.h264", Clip(options={"bf": "0"})))
    stamps = [frame.pts_s for frame in read_all(source)]
    source.seek(stamps[5])
    frame = source.read()
    assert frame is not None
    assert read_code(frame.image) == 5


def test_a_change_of_size_within_a_file_is_scaled_and_told(tmp_path: Path) -> None:
    first = write_clip(tmp_path / "1.ts", Clip(options={"bf": "0"}))
    second = write_clip(
        tmp_path / "2.ts", Clip(size=(320, 240), ticks=range(24, 48), options={"bf": "0"})
    )
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    source = open_source(both)
    shapes = {frame.image.shape for frame in read_all(source)}
    assert shapes == {(120, 160, 3)}
    assert "size changes" in str(source.note)


# What cannot be read, or not to its end


def cut(path: Path, fraction: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * fraction)])
    return path


def write_noise(path: Path, muxer: dict[str, str]) -> Path:
    """A clip whose pictures take room, so that cutting it loses frames."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(48)]
    clip = Clip(ticks=range(48), muxer=muxer, options={"bf": "0"})
    return write_clip(path, clip, lambda number: noise[number])


def test_a_cut_off_recording_gives_the_frames_it_has(tmp_path: Path) -> None:
    source = open_source(cut(write_noise(tmp_path / "cut.mp4", FAST_START), 0.5))
    assert 15 <= len(read_all(source)) < 48


def test_a_cut_off_recording_says_so_at_the_end(tmp_path: Path) -> None:
    source = open_source(cut(write_noise(tmp_path / "cut.mp4", FAST_START), 0.4))
    read_all(source)
    assert "ends early" in str(source.note)


def test_a_cut_off_recording_can_be_searched(tmp_path: Path) -> None:
    source = open_source(cut(write_noise(tmp_path / "cut.mp4", FAST_START), 0.5))
    frames = read_all(source)
    source.seek(1e4)
    last = source.read()
    assert last is not None
    assert last.pts_s == frames[-1].pts_s


def test_a_damaged_middle_is_passed_over(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "damaged.mp4", FAST_START)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    path.write_bytes(data)
    source = open_source(path)
    assert read_all(source)[-1].pts_s == pytest.approx(47 / 25)
    assert "damaged" in str(source.note)


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def text(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("not a video\n" * 50)
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def without_index(folder: Path) -> Path:
    return cut(write_noise(folder / "cut.mp4", {}), 0.5)


def sound(folder: Path) -> Path:
    return write_sound(folder / "sound.mp4")


def no_frames(folder: Path) -> Path:
    return write_clip(folder / "none.mkv", Clip(ticks=()))


def playlist(folder: Path) -> Path:
    path = folder / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    return path


UNUSABLE: tuple[tuple[Callable[[Path], Path], str], ...] = (
    (missing, "no file or folder"),
    (text, "not a video"),
    (empty, "is empty"),
    (without_index, "cut off"),
    (sound, "no video"),
    (no_frames, "No picture|not a video|no video"),
    (playlist, "list.mp4"),
)


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_what_cannot_be_read_says_why(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(SourceError, match=reason):
        open_source(make(tmp_path))


@pytest.mark.parametrize(("make", "reason"), UNUSABLE)
def test_what_cannot_be_read_says_what_to_do(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(SourceError) as error:
        open_source(make(tmp_path))
    assert error.value.remedy


def test_a_missing_file_is_also_a_builtin_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "missing.mp4")


def test_no_name_at_all_is_refused() -> None:
    with pytest.raises(SourceError, match="No source"):
        open_source("")


def test_a_file_that_vanishes_between_is_not_found(tmp_path: Path) -> None:
    from engine.sources.file import VideoFile

    with pytest.raises(SourceNotFoundError):
        VideoFile(tmp_path / "gone.mp4")


def test_cover_art_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("mp3", rate=44100)
        cover = container.add_stream("mjpeg", rate=Fraction(25))
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        container.mux(cover.encode(image.reformat(format="yuvj420p")))
        container.mux(cover.encode(None))
        for start in range(0, 11520, 1152):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            sound.sample_rate, sound.pts = 44100, start
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    with pytest.raises(SourceError, match="no video"):
        open_source(path)


@pytest.mark.parametrize("good", [0, 1, 10, 30, 58])
@pytest.mark.parametrize("options", [{"bf": "0", "g": "12"}, {"bf": "2", "g": "12"}])
def test_software_goes_on_where_hardware_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int, options: dict[str, str]
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(ticks=range(60), options=options))
    card = FailingCard(good)
    monkeypatch.setattr("engine.sources.file.open_container", card)
    source = open_source(path)
    frames = read_all(source)
    assert [read_code(frame.image) for frame in frames] == list(range(60))
    assert [frame.index for frame in frames] == list(range(60))
    assert source.note == "cuda does not decode any more; software decodes."
    assert source.info.decoder == "h264 (software, 1 thread)"
    source.seek(0.0)
    assert read_code(read_all(source)[0].image) == 0
    assert card.opened == 1


def test_hardware_that_gives_up_in_a_seek_still_leads_to_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = Clip(ticks=range(60), options={"bf": "0", "g": "12"})
    path = write_clip(tmp_path / "clip.mp4", clip)
    monkeypatch.setattr("engine.sources.file.open_container", FailingCard(5))
    source = open_source(path)
    expected = open_source(path, decoder="off")
    for opened in (source, expected):
        opened.seek(0.9)
    found, right = source.read(), expected.read()
    assert found is not None
    assert right is not None
    assert read_code(found.image) == read_code(right.image)


def test_a_damaged_piece_is_not_blamed_on_the_hardware(tmp_path: Path) -> None:
    from engine.sources.decoders import Trial

    class Packet:
        def __init__(self, *, is_keyframe: bool) -> None:
            self.is_keyframe = is_keyframe

    trial = Trial()
    assert not any(trial.is_lost(Packet(is_keyframe=False)) for _ in range(50))
    assert trial.is_lost(Packet(is_keyframe=True))
    trial.passed()
    assert not any(trial.is_lost(Packet(is_keyframe=True)) for _ in range(7))
    assert trial.is_lost(Packet(is_keyframe=False))
