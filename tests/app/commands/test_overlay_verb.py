"""`haustra overlay` from the command line, on real files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import pytest

from app.__main__ import BAD_INPUT, INTERRUPTED, main
from engine.sources import open_source
from tests.clips import (
    B_FRAMES,
    FAST_START,
    FOUR_K,
    GREY,
    ODD,
    ONE_PIXEL,
    TEN_BIT,
    UNEVEN,
    Clip,
    picture,
    write_clip,
    write_sound,
)
from tests.fakes import brightness_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brightness_bundle(tmp_path_factory.mktemp("bundle")).path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder for results; sources lie elsewhere."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def stamps(path: Path) -> list[tuple[tuple[int, ...], float]]:
    source = open_source(path)
    frames = []
    while (frame := source.read()) is not None:
        frames.append((frame.image.shape, round(frame.pts_s, 9)))
    source.close()
    return frames


CLIPS: dict[str, Clip] = {
    "b.mp4": B_FRAMES,
    "uneven.mkv": UNEVEN,
    "turned.mp4": Clip(rotation=90, ticks=range(5)),
    "grey.mp4": GREY,
    "ten.mp4": TEN_BIT,
    "odd.mp4": ODD,
    "one.mkv": ONE_PIXEL,
    "4k.mp4": FOUR_K,
    "ntsc.mp4": Clip(time_base=Fraction(1001, 30000), ticks=range(5)),
}


@pytest.mark.parametrize("name", CLIPS)
def test_the_video_matches_its_source_frame_by_frame(
    tmp_path: Path, here: Path, bundle: Path, name: str
) -> None:
    source = write_clip(tmp_path / name, CLIPS[name])
    assert main(["overlay", str(source), "-o", "out.mp4", "--bundle", str(bundle)]) == 0
    assert stamps(here / "out.mp4") == stamps(source)


@pytest.fixture
def table(tmp_path: Path, here: Path, bundle: Path) -> dict[str, object]:
    source = write_clip(tmp_path / "exam.mp4", B_FRAMES)
    words = ["overlay", str(source), "-o", "out.mp4", "--table", "out.json"]
    assert main([*words, "--bundle", str(bundle)]) == 0
    return dict(json.loads((here / "out.json").read_text()))


def test_the_table_has_a_row_for_every_frame(table: dict[str, list[dict[str, object]]]) -> None:
    assert [row["pts_s"] for row in table["frames"]] == [round(n / 25, 6) for n in range(24)]


def test_the_table_has_the_folds(table: dict[str, list[dict[str, list[object]]]]) -> None:
    assert any(row["folds"] for row in table["frames"])


def test_the_table_says_what_made_it(table: dict[str, dict[str, object]]) -> None:
    assert table["source"]["name"] == "exam.mp4"
    assert (table["model"]["name"], table["model"]["version"]) == ("brightness", "0.0.1")
    assert table["model"]["threshold"] == 0.5
    assert set(table["units"]) >= {"pts_s", "contour", "area_px"}


def test_stills_become_a_video_at_the_pace_asked_for(
    tmp_path: Path, here: Path, bundle: Path
) -> None:
    stills = tmp_path / "stills"
    stills.mkdir()
    for number in range(3):
        cv2.imwrite(str(stills / f"{number}.png"), picture(number)[..., ::-1])
    words = ["overlay", str(stills), "-o", "out.mp4", "--fps", "10", "--bundle", str(bundle)]
    assert main(words) == 0
    assert [pts_s for _, pts_s in stamps(here / "out.mp4")] == [0.0, 0.1, 0.2]


def test_a_cut_off_recording_is_written_as_far_as_it_goes(
    tmp_path: Path, here: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = Clip(ticks=range(100), muxer=FAST_START, options={"bf": "0", "g": "5"})
    path = write_clip(tmp_path / "cut.mp4", clip)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert main(["overlay", str(path), "-o", "out.mp4", "--bundle", str(bundle)]) == 0
    assert 10 < len(stamps(here / "out.mp4")) < 100
    assert "ends early" in capsys.readouterr().err


# Bad input: exit code 2, a message with a remedy, nothing half-written


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("not a video\n" * 50)
    return folder / "text.mp4"


def without_index(folder: Path) -> Path:
    path = write_clip(folder / "cut.mp4", B_FRAMES)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def sound(folder: Path) -> Path:
    return write_sound(folder / "sound.mp4")


def no_frames(folder: Path) -> Path:
    return write_clip(folder / "none.mkv", Clip(ticks=()))


UNUSABLE = (missing, empty_folder, text, without_index, sound, no_frames)


@pytest.mark.parametrize("make", UNUSABLE)
@pytest.mark.parametrize("verb", ["overlay", "bench"])
def test_what_cannot_be_read_is_explained(
    tmp_path: Path,
    here: Path,
    bundle: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    verb: str,
) -> None:
    words = [verb, str(make(tmp_path)), "--bundle", str(bundle)]
    if verb == "overlay":
        words += ["-o", "out.mp4", "--table", "out.json"]
    assert main(words) == BAD_INPUT
    message = capsys.readouterr().err.splitlines()
    assert message[0].startswith("haustra: ")
    assert len(message) == 2
    assert list(here.iterdir()) == []


def no_bundle(folder: Path) -> Path:
    return folder / "no bundle"


def unreadable(folder: Path) -> Path:
    (folder / "bundle").mkdir()
    (folder / "bundle" / "manifest.json").write_text("{")
    return folder / "bundle"


def altered(folder: Path) -> Path:
    path = brightness_bundle(folder / "bundle").path
    with (path / "model.onnx").open("ab") as model:
        model.write(b"more")
    return path


@pytest.mark.parametrize("make", [no_bundle, unreadable, altered])
@pytest.mark.parametrize("verb", ["overlay", "bench"])
def test_a_bundle_that_cannot_be_used_is_explained(
    tmp_path: Path,
    here: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], Path],
    verb: str,
) -> None:
    source = write_clip(tmp_path / "exam.mp4", B_FRAMES)
    words = [verb, str(source), "--bundle", str(make(tmp_path))]
    if verb == "overlay":
        words += ["-o", "out.mp4", "--table", "out.json"]
    assert main(words) == BAD_INPUT
    assert "bundle" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_an_unknown_back_end_is_explained(tmp_path: Path, here: Path, bundle: Path) -> None:
    source = write_clip(tmp_path / "exam.mp4", B_FRAMES)
    words = ["overlay", str(source), "-o", "out.mp4", "--backend", "abacus"]
    assert main([*words, "--bundle", str(bundle)]) == BAD_INPUT


@pytest.mark.parametrize(
    "outputs",
    [
        ["-o", "out.avi"],
        ["-o", "nowhere/out.mp4"],
        ["-o", "out.mp4", "--table", "nowhere/out.json"],
        ["-o", "out.mp4", "--table", "out.mp4"],
        ["-o", "."],
    ],
)
def test_a_place_that_cannot_be_written_is_explained(
    tmp_path: Path, here: Path, bundle: Path, outputs: list[str]
) -> None:
    source = write_clip(tmp_path / "exam.mp4", B_FRAMES)
    assert main(["overlay", str(source), *outputs, "--bundle", str(bundle)]) == BAD_INPUT
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("outputs", [["-o", "exam.mp4"], ["-o", "x.mp4", "--table", "exam.mp4"]])
def test_the_source_is_never_overwritten(
    tmp_path: Path, here: Path, bundle: Path, outputs: list[str]
) -> None:
    exam = here / "exam.mp4"
    shutil.copy(write_clip(tmp_path / "exam.mp4", B_FRAMES), exam)
    before = exam.read_bytes()
    assert main(["overlay", "exam.mp4", *outputs, "--bundle", str(bundle)]) == BAD_INPUT
    assert exam.read_bytes() == before


@pytest.mark.parametrize("option", [["--opacity", "2"], ["--stroke", "-1"], ["--fps", "x"]])
def test_an_impossible_option_is_explained(here: Path, option: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["overlay", "exam.mp4", "-o", "out.mp4", *option])
    assert stopped.value.code == BAD_INPUT


def test_an_interruption_leaves_nothing(
    tmp_path: Path, here: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    source = write_clip(tmp_path / "exam.mp4", B_FRAMES)
    monkeypatch.setattr("app.progress.Progress.advance", interrupt)
    words = ["overlay", str(source), "-o", "out.mp4", "--table", "out.json"]
    assert main([*words, "--bundle", str(bundle)]) == INTERRUPTED
    assert list(here.iterdir()) == []
