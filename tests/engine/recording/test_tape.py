from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecordingError
from engine.recording.tape import TAPE_SUFFIXES, DurableFile, PacketTape, PictureTape
from engine.sources import Packet, open_source
from engine.sources.file import VideoFile
from engine.sources.pattern import Pattern, read_code
from engine.types import Frame
from tests.clips import B_FRAMES, EDIT_LIST, LATE_START, ODD, OPEN_GOP, UNEVEN, Clip, write_clip

_PATTERN = "pattern:160x96@50,frames=60"
SUFFIXES = pytest.mark.parametrize("suffix", TAPE_SUFFIXES)


def every_frame(path: Path) -> list[Frame]:
    source = open_source(path)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def tape_of(path: Path, spec: str = _PATTERN) -> PictureTape:
    """All of a pattern on a tape that is not finished."""
    source = Pattern(spec)
    tape = PictureTape(path, source.info)
    while (frame := source.read()) is not None:
        tape.write(frame.image, frame.pts_s)
    return tape


@SUFFIXES
def test_pictures_come_back_in_number_time_and_code(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tape{suffix}"
    tape_of(path).finish()
    frames = every_frame(path)
    assert [read_code(frame.image) for frame in frames] == list(range(60))
    assert [frame.pts_s for frame in frames] == pytest.approx([n / 50 for n in range(60)], abs=1e-3)


@SUFFIXES
def test_a_cut_costs_half_a_second_of_what_was_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tape{suffix}"
    tape = tape_of(path)
    cut = Path(shutil.copy(path, tmp_path / f"cut{suffix}"))
    tape.abandon()
    codes = [read_code(frame.image) for frame in every_frame(cut)]
    assert codes == list(range(len(codes)))
    assert len(codes) >= 60 - 26


@pytest.mark.parametrize("share", [0.2, 0.5, 0.81, 0.99])
@SUFFIXES
def test_a_tape_cut_anywhere_can_be_read_up_to_there(
    tmp_path: Path, suffix: str, share: float
) -> None:
    path = tmp_path / f"tape{suffix}"
    tape_of(path).finish()
    whole = path.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(whole[: int(len(whole) * share)])
    codes = [read_code(frame.image) for frame in every_frame(cut)]
    assert codes == list(range(len(codes)))
    assert len(codes) >= int(60 * share) - 30


def test_a_finished_tape_tells_its_length(tmp_path: Path) -> None:
    tape_of(tmp_path / "tape.mkv").finish()
    assert open_source(tmp_path / "tape.mkv").info.duration_s == pytest.approx(1.2, abs=0.03)


def test_an_odd_size_is_kept(tmp_path: Path) -> None:
    tape = tape_of(tmp_path / "odd.mkv", "pattern:161x97,frames=2")
    tape.finish()
    assert every_frame(tmp_path / "odd.mkv")[0].image.shape == (97, 161, 3)


def test_a_picture_of_another_size_is_scaled(tmp_path: Path) -> None:
    tape = PictureTape(tmp_path / "tape.mkv", Pattern(_PATTERN).info)
    tape.write(Pattern("pattern:320x192").draw(0), 0.0)
    tape.finish()
    assert every_frame(tmp_path / "tape.mkv")[0].image.shape == (96, 160, 3)


def _copy(source: VideoFile, path: Path) -> None:
    packets: list[Packet] = []
    source.tap(packets.append)
    source.seek(0.0)
    while source.read() is not None:
        pass
    tape = PacketTape(path, packets[0].stream, packets[0].pts_s)
    for packet in packets:
        tape.write(packet)
    tape.finish()


CLIPS: dict[str, Clip] = {
    "plain": Clip(),
    "B-frames": B_FRAMES,
    "open groups": OPEN_GOP,
    "uneven": UNEVEN,
    "late": LATE_START,
    "edit list": EDIT_LIST,
    "odd": ODD,
}


@pytest.mark.parametrize("name", CLIPS)
@SUFFIXES
def test_copied_packets_give_the_very_same_pictures_and_times(
    tmp_path: Path, suffix: str, name: str
) -> None:
    original = write_clip(tmp_path / "original.mp4", CLIPS[name])
    _copy(VideoFile(original), tmp_path / f"copy{suffix}")
    shown, copied = every_frame(original), every_frame(tmp_path / f"copy{suffix}")
    # Pictures before an edit list's beginning are in the copy, too.
    copied = copied[-len(shown) :]
    assert all(
        np.array_equal(one.image, other.image) for one, other in zip(shown, copied, strict=True)
    )
    times = [frame.pts_s - copied[0].pts_s for frame in copied]
    assert times == pytest.approx([frame.pts_s for frame in shown], abs=1.01e-3)


@pytest.mark.parametrize("name", ["tape.avi", "tape", "tape.jsonl"])
def test_a_name_for_no_tape_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError, match="not a name"):
        PictureTape(tmp_path / name, Pattern(_PATTERN).info)


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "tape.mkv"
    path.write_text("dear")
    with pytest.raises(RecordingError, match="exists already"):
        PictureTape(path, Pattern(_PATTERN).info)
    assert path.read_text() == "dear"


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        DurableFile(tmp_path / "none" / "tape.mkv")


def test_a_durable_file_can_be_written_over_like_any_other(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "bytes")
    file.write(b"abcdef")
    file.seek(2)
    file.write(b"XY")
    assert file.tell() == 4
    file.close()
    file.close()
    assert (tmp_path / "bytes").read_bytes() == b"abXYef"


_FULL_DISK = """
import resource, sys
from pathlib import Path
from engine.errors import RecordingError
from engine.recording.tape import PictureTape
from engine.sources.pattern import Pattern
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
source = Pattern("pattern:320x192@50,frames=500")
tape = PictureTape(Path(sys.argv[1]), source.info)
try:
    while (frame := source.read()) is not None:
        tape.write(frame.image, frame.pts_s)
except RecordingError as error:
    tape.abandon()
    print(frame.index, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
@SUFFIXES
def test_a_full_disk_is_told_and_what_was_written_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"tape{suffix}"
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    failed_at, _, message = done.stdout.partition(" ")
    assert message.startswith(f"There is no room left for {path.name}")
    codes = [read_code(frame.image) for frame in every_frame(path)]
    assert codes == list(range(len(codes)))
    assert len(codes) >= int(failed_at) - 60
