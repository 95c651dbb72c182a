from __future__ import annotations

from pathlib import Path

from engine.recording.outputs import RawCopy
from engine.sources import Packet
from engine.sources.file import VideoFile
from engine.sources.pattern import read_code
from tests.clips import Clip, write_clip
from tests.engine.recording.test_tape import every_frame


def _packets(path: Path, later_s: float = 0.0) -> list[Packet]:
    """Every packet of a file, shown so much later."""
    source = VideoFile(path)
    packets: list[Packet] = []
    source.tap(packets.append)
    source.seek(0.0)
    while source.read() is not None:
        pass
    return [Packet(each.data, each.stream, each.pts_s + later_s) for each in packets]


def test_a_source_that_was_opened_again_goes_on_in_a_second_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip())
    raw = RawCopy(tmp_path / "out.mkv")
    for packet in (*_packets(clip, 5.0), *_packets(clip, 20.0)):
        raw.write(packet)
    raw.finish()
    for name in ("out.mkv", "out-2.mkv"):
        codes = [read_code(frame.image) for frame in every_frame(tmp_path / name)]
        assert codes == list(range(24))


def test_times_run_on_in_the_second_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip())
    raw = RawCopy(tmp_path / "out.mkv")
    for packet in (*_packets(clip, 5.0), *_packets(clip, 20.0)):
        raw.write(packet)
    raw.finish()
    info = VideoFile(tmp_path / "out-2.mkv").info
    assert info.start_pts * info.time_base == 15


def test_nothing_is_written_where_nothing_came(tmp_path: Path) -> None:
    raw = RawCopy(tmp_path / "out.mkv")
    raw.idle()
    raw.finish()
    raw.abandon()
    assert list(tmp_path.iterdir()) == []
