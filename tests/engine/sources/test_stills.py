from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import VideoSource, open_source
from engine.sources.stills import find_pictures
from engine.types import Image


def save(path: Path, image: NDArray[np.generic]) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def grey(level: int, size: tuple[int, int] = (40, 30)) -> Image:
    return np.full((size[1], size[0], 3), level, np.uint8)


def read_levels(source: VideoSource) -> list[int]:
    levels = []
    while (frame := source.read()) is not None:
        levels.append(int(frame.image[15, 20, 0]))
    return levels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, level in (("f10.png", 100), ("f2.png", 20), ("f1.png", 10)):
        save(tmp_path / name, grey(level))
    return tmp_path


def test_pictures_come_in_natural_order(folder: Path) -> None:
    assert read_levels(open_source(folder)) == [10, 20, 100]


def test_a_glob_chooses_pictures(folder: Path) -> None:
    assert read_levels(open_source(folder / "f1*.png")) == [10, 100]


def test_one_picture_is_a_sequence_of_one(folder: Path) -> None:
    assert read_levels(open_source(folder / "f2.png")) == [20]


def test_other_files_are_left_out(folder: Path) -> None:
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(b"no picture")
    assert len(find_pictures(folder)) == 3


def test_time_follows_the_pace_asked_for(folder: Path) -> None:
    source = open_source(folder, frame_rate_hz=10)
    source.read()
    second = source.read()
    assert second is not None
    assert second.pts_s == pytest.approx(0.1)


@pytest.mark.parametrize("rate_hz", [0.0, -5.0, 1e6, float("nan")])
def test_an_impossible_pace_is_refused(folder: Path, rate_hz: float) -> None:
    with pytest.raises(SourceError, match="not a pace"):
        open_source(folder, frame_rate_hz=rate_hz)


def test_colours_are_rgb(tmp_path: Path) -> None:
    image = grey(0)
    image[..., 2] = 250
    save(tmp_path / "red.png", image)
    frame = open_source(tmp_path).read()
    assert frame is not None
    assert tuple(frame.image[15, 20]) == (250, 0, 0)


@pytest.mark.parametrize(
    ("name", "image", "level"),
    [
        ("grey.png", np.full((30, 40), 77, np.uint8), 77),
        ("deep.png", np.full((30, 40, 3), 0x8080, np.uint16), 0x80),
        ("deep_grey.tiff", np.full((30, 40), 0xFFFF, np.uint16), 255),
        ("alpha.png", np.full((30, 40, 4), 90, np.uint8), 90),
    ],
)
def test_every_depth_becomes_rgb_bytes(
    tmp_path: Path, name: str, image: NDArray[np.generic], level: int
) -> None:
    save(tmp_path / name, image)
    frame = open_source(tmp_path).read()
    assert frame is not None
    assert frame.image.shape == (30, 40, 3)
    assert tuple(frame.image[15, 20]) == (level, level, level)


def test_another_size_is_fitted_between_black_bars(folder: Path) -> None:
    save(folder / "f3.png", grey(200, (80, 30)))
    source = open_source(folder / "f[23].png")
    source.read()
    frame = source.read()
    assert frame is not None
    assert frame.image.shape == (30, 40, 3)
    assert (frame.image[0, 20, 0], frame.image[15, 20, 0]) == (0, 200)


def test_another_size_is_named_in_the_note(folder: Path) -> None:
    save(folder / "f3.png", grey(200, (80, 30)))
    source = open_source(folder)
    read_levels(source)
    assert source.note == "Scaled to fit 40x30: f3.png."


def test_a_damaged_picture_is_left_out_and_named(folder: Path) -> None:
    (folder / "f3.png").write_bytes(b"\x89PNG cut off")
    source = open_source(folder)
    assert read_levels(source) == [10, 20, 100]
    assert source.note == "Could not be read and were left out: f3.png."


def test_a_damaged_picture_keeps_its_place_in_time(folder: Path) -> None:
    (folder / "f3.png").write_bytes(b"\x89PNG cut off")
    source = open_source(folder, frame_rate_hz=10)
    source.seek(0.25)
    shown = source.read()
    following = source.read()
    assert shown is not None
    assert following is not None
    assert (shown.pts_s, following.pts_s) == (pytest.approx(0.1), pytest.approx(0.3))


def test_only_damaged_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(SourceError, match="None of the 1 pictures"):
        open_source(tmp_path)


@pytest.mark.parametrize("pattern", ["", "*.png"])
def test_a_place_without_pictures_says_which_files_count(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(SourceError) as error:
        open_source(tmp_path / pattern)
    assert ".png" in error.value.remedy


def test_a_glob_in_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError):
        open_source(tmp_path / "missing" / "*.png")
