from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import SourceError
from engine.recorder import record_source
from engine.sources import open_source
from engine.sources.pattern import Pattern, read_code, write_code
from engine.types import Image


@pytest.mark.parametrize("number", [0, 1, 2, 499, 65_535, 1_048_575])
@pytest.mark.parametrize("size", [(128, 32), (320, 240), (641, 479), (1280, 720), (3840, 2160)])
def test_a_code_reads_back(number: int, size: tuple[int, int]) -> None:
    image: Image = np.full((size[1], size[0], 3), 128, np.uint8)
    write_code(image, number)
    assert read_code(image) == number


@pytest.mark.parametrize("size", ["128x64", "640x360", "1280x720"])
def test_codes_survive_video_compression(tmp_path: Path, size: str) -> None:
    clip = tmp_path / "clip.mp4"
    for _ in record_source(Pattern(f"pattern:{size}@50,frames=20"), clip):
        pass
    source = open_source(clip)
    codes = []
    while (frame := source.read()) is not None:
        codes.append(read_code(frame.image))
    assert codes == list(range(20))


@pytest.mark.parametrize("level", [0, 100, 255])
def test_a_plain_picture_has_no_code(level: int) -> None:
    assert read_code(np.full((240, 320, 3), level, np.uint8)) is None


def test_noise_has_no_code() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(50)]
    assert [read_code(image) for image in noise] == [None] * 50


def test_a_small_picture_has_no_code() -> None:
    assert read_code(np.zeros((1, 1, 3), np.uint8)) is None


def test_a_damaged_code_is_not_another_number() -> None:
    image = Pattern("pattern:320x240").draw(77).copy()
    image[:, 60:90] = 0
    assert read_code(image) in (None, 77)


def test_a_number_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_code(np.zeros((240, 320, 3), np.uint8), 1 << 20)


def test_pictures_move() -> None:
    pattern = Pattern("pattern:320x240")
    assert not np.array_equal(pattern.draw(0)[:200], pattern.draw(5)[:200])


@pytest.mark.parametrize(
    "spec",
    [
        "pattern:",
        "pattern:1280",
        "pattern:1280x720@",
        "pattern:1280x720@0",
        "pattern:1280x720,frames=0",
        "pattern:10x10",
        "pattern:99999x720",
        "pattern:1280x720@50,frames=99999999",
    ],
)
def test_an_impossible_pattern_says_what_to_write(spec: str) -> None:
    with pytest.raises(SourceError) as error:
        open_source(spec)
    assert error.value.remedy
