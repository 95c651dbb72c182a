"""`haustra-train layout` writes what it reads, and explains what it cannot."""

from pathlib import Path

import pytest

from train.__main__ import main
from train.simulate.dataset import SimulatedSet


@pytest.mark.parametrize("layout", ["simcol3d", "c3vd"])
def test_an_exported_path_passes_its_check(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["layout", "export", str(pinhole_set.folder), "-o", str(out), "--as", layout]) == 0
    folder = next(out.iterdir())
    assert main(["layout", "check", str(folder), "--as", layout]) == 0
    assert "3 frames of 48×36" in capsys.readouterr().out


def test_a_recording_without_poses_is_checked_without_comparison(
    pinhole_set: SimulatedSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["layout", "export", str(pinhole_set.folder), "-o", str(tmp_path), "--as", "c3vd"])
    for path in (tmp_path / "tube").glob("*_depth.tiff"):
        path.unlink()
    assert main(["layout", "check", str(tmp_path / "tube"), "--as", "c3vd"]) == 0
    assert "not compared" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "nowhere", "-o", "{out}", "--as", "c3vd"],
        ["export", "{set}", "-o", "{out}", "--as", "kitti"],
        ["export", "{set}", "-o", "{out}", "--as", "c3vd", "--height", "0"],
        ["check", "nowhere", "--as", "c3vd"],
        ["check", "{set}", "--as", "kitti"],
    ],
)
def test_a_wrong_command_ends_with_two_and_a_remedy(
    arguments: list[str],
    pinhole_set: SimulatedSet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"out": tmp_path / "out", "set": pinhole_set.folder}
    assert main(["layout", *(each.format(**places) for each in arguments)]) == 2
    assert "haustra-train: " in capsys.readouterr().err
