from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.errors import RecordingError
from engine.recorder import FoldTable, OverlayVideo, record_source
from engine.sources import SourceInfo, open_source
from engine.sources.pattern import Pattern
from engine.types import Frame, read_only
from tests.clips import (
    B_FRAMES,
    EDIT_LIST,
    LATE_START,
    ODD,
    ONE_PIXEL,
    UNEVEN,
    Clip,
    picture,
    write_clip,
)
from tests.fakes import analysis_of, fold, rectangle

ROOT = Path(__file__).parents[2]
SHAPES = {
    "plain.mp4": Clip(),
    "b.mp4": B_FRAMES,
    "uneven.mkv": UNEVEN,
    "uneven.mp4": UNEVEN,
    "late.mp4": LATE_START,
    "edit.mp4": EDIT_LIST,
    "odd.mp4": ODD,
    "one.mkv": ONE_PIXEL,
    "turned.mp4": Clip(size=(64, 48), rotation=90),
    "ntsc.mp4": Clip(time_base=Fraction(1001, 30000)),
}


def copied(folder: Path, name: str) -> tuple[list[tuple[int, int, float]], ...]:
    """(width, height, pts) of every frame of a clip and of its recording."""
    original = write_clip(folder / name, SHAPES[name])
    for _ in record_source(open_source(original), folder / "copy.mp4"):
        pass
    return tuple(frames_of(path) for path in (original, folder / "copy.mp4"))


def frames_of(path: Path) -> list[tuple[int, int, float]]:
    source = open_source(path)
    start_s = float(source.info.start_pts * source.info.time_base)
    frames = []
    while (frame := source.read()) is not None:
        height, width = frame.image.shape[:2]
        frames.append((width, height, round(start_s + frame.pts_s, 9)))
    return frames


@pytest.mark.parametrize("name", SHAPES)
def test_size_count_and_times_are_those_of_the_source(tmp_path: Path, name: str) -> None:
    original, copy = copied(tmp_path, name)
    assert copy == original


def test_the_time_base_is_kept(tmp_path: Path) -> None:
    original = open_source(write_clip(tmp_path / "uneven.mkv", UNEVEN))
    for _ in record_source(original, tmp_path / "copy.mp4"):
        pass
    copy = open_source(tmp_path / "copy.mp4")
    assert copy.info.time_base == original.info.time_base == Fraction(1, 1000)


def test_pictures_look_like_what_was_written(tmp_path: Path) -> None:
    for _ in record_source(Pattern("pattern:320x240,frames=3"), tmp_path / "copy.mp4"):
        pass
    frame = open_source(tmp_path / "copy.mp4").read()
    assert frame is not None
    expected = Pattern("pattern:320x240").draw(0).astype(float)
    assert np.abs(frame.image - expected).mean() < 3


@pytest.mark.parametrize(("name", "pixels"), [("plain.mp4", "yuv420p"), ("odd.mp4", "yuv444p")])
def test_colour_is_halved_only_where_the_size_allows(
    tmp_path: Path, name: str, pixels: str
) -> None:
    copied(tmp_path, name)
    with av.open(str(tmp_path / "copy.mp4")) as container:
        assert container.streams.video[0].pix_fmt == pixels


def info_of(size: tuple[int, int] = (160, 120)) -> SourceInfo:
    return SourceInfo("test", *size, 1.0, 25.0, 25, False, "none", Fraction(1, 25))


def test_the_name_appears_only_when_the_video_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with OverlayVideo(path, info_of()) as video:
        video.write_image(picture(0), 0.0)
        assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        OverlayVideo(tmp_path / "out.mp4", info_of()) as video,
    ):
        video.write_image(picture(0), 0.0)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_survives_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_text("earlier")
    with pytest.raises(KeyboardInterrupt), OverlayVideo(path, info_of()):
        raise KeyboardInterrupt
    assert path.read_text() == "earlier"


@pytest.mark.parametrize("name", ["out.avi", "out", "out.json", "missing/out.mp4"])
def test_a_place_that_will_not_do_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordingError) as error:
        OverlayVideo(tmp_path / name, info_of())
    assert error.value.remedy


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(RecordingError, match="is a folder"):
        OverlayVideo(tmp_path / "out.mp4", info_of())


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from engine.errors import RecordingError
from engine.recorder import FoldTable, OverlayVideo
from engine.sources.pattern import Pattern
from engine.types import Frame
from tests.fakes import analysis_of, fold, rectangle

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
source = Pattern("pattern:320x240,frames=3")
try:
    if sys.argv[1] == "video":
        with OverlayVideo(Path("out.mp4"), source.info) as video:
            for number in range(200):
                video.write_image(noise, number / 50)
    else:
        with FoldTable(Path("out.json"), {}) as table:
            for number in range(2000):
                frame = Frame(number, number / 50, 0.0, noise)
                table.write(analysis_of(frame, fold(rectangle(1, 2, 3, 4))))
except RecordingError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
@pytest.mark.parametrize("what", ["video", "table"])
def test_a_full_disk_is_explained_and_leaves_nothing(tmp_path: Path, what: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, what],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "cannot be written" in result.stdout
    assert list(tmp_path.iterdir()) == []


# The table


def still(index: int) -> Frame:
    return Frame(index, index / 25, 0.0, read_only(np.zeros((120, 160, 3), np.uint8)))


def test_the_table_lists_every_frame(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    with FoldTable(path, {"schema": 1}) as table:
        for index in range(3):
            table.write(analysis_of(still(index)))
    rows = json.loads(path.read_text())["frames"]
    assert [(row["index"], row["pts_s"]) for row in rows] == [(0, 0.0), (1, 0.04), (2, 0.08)]


def test_the_table_says_how_far_each_picture_is_trusted(tmp_path: Path) -> None:
    path, found = tmp_path / "folds.json", analysis_of(still(0))
    with FoldTable(path, {}) as table:
        table.write(replace(found, mask=replace(found.mask, trust=0.12345)))
    assert json.loads(path.read_text())["frames"][0]["trust"] == 0.123


def test_the_table_lists_every_fold_in_frame_pixels(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    with FoldTable(path, {}) as table:
        table.write(analysis_of(still(0), fold(rectangle(1, 2, 30.125, 40), track=7)))
    assert json.loads(path.read_text())["frames"][0]["folds"] == [
        {
            "track": 7,
            "score": 0.9,
            "area_px": 100.0,
            "contour": [[1.0, 2.0], [30.12, 2.0], [30.12, 40.0], [1.0, 40.0]],
            "parts": [],
        }
    ]


def test_the_table_begins_with_its_header(tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    with FoldTable(path, {"schema": 1, "units": {"pts_s": "seconds"}}):
        pass
    assert json.loads(path.read_text()) == {
        "schema": 1,
        "units": {"pts_s": "seconds"},
        "frames": [],
    }


def test_no_half_table_is_left_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), FoldTable(tmp_path / "folds.json", {}):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
