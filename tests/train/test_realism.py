from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError, RecordingError, SourceNotFoundError
from train.__main__ import main
from train.pictures import PictureSet
from train.realism import Realism, RealismOptions, measure_realism, sheet

FRAMES = 12


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coloured noise in the place of two training sets and a yardstick."""
    folder = tmp_path_factory.mktemp("real")
    rng = np.random.default_rng(2)
    for place in ("polypgen/images", "kvasir_seg/images", "cvc_clinicdb/images"):
        (folder / place).mkdir(parents=True)
        for number in range(16):
            image = rng.integers(40, 200, (48, 64, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / place / f"still{number}x.png"), image)
    (folder / "kvasir_seg/polyp_masks").mkdir()
    for number in range(16):
        mask = np.zeros((48, 64), np.uint8)
        cv2.imwrite(str(folder / f"kvasir_seg/polyp_masks/still{number}x.png"), mask)
    return folder


@pytest.fixture(scope="module")
def measured(
    tiny_set: Path, real: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Realism, Path]:
    out = tmp_path_factory.mktemp("realism") / "out"
    return measure_realism(RealismOptions(tiny_set, real, out, frames=FRAMES)), out


def test_every_style_and_every_anchor_has_its_row(measured: tuple[Realism, Path]) -> None:
    pairs = [(each.name, each.against) for each in measured[0].comparisons]
    assert pairs == [
        ("simulated, plain", "real"),
        ("simulated, rich", "real"),
        ("real, other patients", "real"),
        ("PolypGen", "Kvasir-SEG"),
        ("CVC-ClinicDB", "real"),
    ]


def test_what_is_simulated_is_further_from_real_than_real_is(
    measured: tuple[Realism, Path],
) -> None:
    plain, _, control, *_ = measured[0].comparisons
    assert plain.whole.measured.low > control.whole.measured.high


def test_the_files_hold_what_was_measured(measured: tuple[Realism, Path]) -> None:
    found, out = measured
    stored = json.loads((out / "realism.json").read_text())
    assert stored["table"] == found.table()
    assert stored["comparisons"][0]["colour"]["joint"] == found.comparisons[0].colour.joint
    assert (out / "realism.md").read_text(encoding="utf-8") == found.table() + "\n"


def test_only_a_name_that_warns_shows_real_frames(measured: tuple[Realism, Path]) -> None:
    assert {path.name for path in measured[1].iterdir()} == {
        "realism.json",
        "realism.md",
        "spectra.png",
        "colours.png",
        "simulated-plain.png",
        "simulated-rich.png",
        "DO-NOT-COMMIT-plain-beside-real.png",
        "DO-NOT-COMMIT-rich-beside-real.png",
    }


def test_the_same_options_give_the_same_figures(
    measured: tuple[Realism, Path], tiny_set: Path, real: Path, tmp_path: Path
) -> None:
    options = RealismOptions(tiny_set, real, tmp_path / "again", frames=FRAMES)
    assert measure_realism(options).table() == measured[0].table()


def plain_set(name: str, level: int) -> PictureSet:
    images = np.full((30, 4, 4, 3), level, np.uint8)
    images[:, 0, 0] = np.arange(30)[:, None]
    return PictureSet(name, images, np.ones((30, 4, 4), bool), np.arange(30))


def test_a_sheet_shows_pictures_from_the_whole_set() -> None:
    found = sheet(plain_set("ours", 50))
    assert found.shape == (16, 24, 3)
    assert found[::4, ::4, 0].ravel().tolist() == [n * 30 // 24 for n in range(24)]


def test_beside_each_other_columns_take_turns() -> None:
    found = sheet(plain_set("ours", 50), plain_set("theirs", 90))
    assert found[1, 1::4, 0].tolist() == [50, 90, 50, 90, 50, 90]


def test_an_unknown_style_is_refused_by_name(tmp_path: Path) -> None:
    options = RealismOptions(tmp_path, tmp_path, tmp_path, styles=("rich", "oil"))
    with pytest.raises(RecipeError, match="'oil'"):
        measure_realism(options)


def test_too_few_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="at least 8"):
        measure_realism(RealismOptions(tmp_path, tmp_path, tmp_path, frames=3))


def test_without_real_frames_there_is_nothing_to_compare_with(
    tiny_set: Path, tmp_path: Path
) -> None:
    with pytest.raises(SourceNotFoundError, match="polypgen/images"):
        measure_realism(RealismOptions(tiny_set, tmp_path, tmp_path / "out", frames=8))


def test_a_folder_that_cannot_be_written_is_explained(
    tiny_set: Path, real: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("in the way")
    options = RealismOptions(tiny_set, real, tmp_path / "out", frames=8, styles=("plain",))
    with pytest.raises(RecordingError, match="cannot be written"):
        measure_realism(options)


def test_a_missing_set_ends_with_two_and_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["realism", "nowhere", "--real", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "haustra-train simulate" in capsys.readouterr().err
