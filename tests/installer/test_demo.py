"""The demo: a window where there is a display, else files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.installer.stand_ins import ROOT, run_script, write_program


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the installer with an environment whose programs only say what they were asked."""
    shutil.copytree(ROOT / "installer", tmp_path / "installer")
    programs = tmp_path / ".venv" / "bin"
    write_program(programs / "haustra", 'echo "haustra $*"')
    write_program(programs / "python", 'case "$2" in *DEMO_CLIP*) echo clip.mp4 ;; esac')
    return tmp_path


def test_a_display_gets_the_window_on_the_bundled_clip(checkout: Path) -> None:
    done = run_script(checkout / "installer" / "demo.sh", DISPLAY=":7")
    assert done.stdout == "haustra \n"


def test_no_display_gets_an_overlay_of_the_bundled_clip(checkout: Path) -> None:
    done = run_script(checkout / "installer" / "demo.sh")
    assert "haustra overlay clip.mp4 -o demo-output/folds.mp4" in done.stdout


def test_no_display_is_told_where_the_files_are(checkout: Path) -> None:
    done = run_script(checkout / "installer" / "demo.sh")
    assert done.stdout.endswith("Video:   demo-output/folds.mp4\nPicture: demo-output/folds.png\n")


def test_a_display_that_qt_cannot_use_gets_files(checkout: Path) -> None:
    write_program(
        checkout / ".venv" / "bin" / "python",
        'case "$2" in *check_display*) exit 1 ;; *DEMO_CLIP*) echo clip.mp4 ;; esac',
    )
    done = run_script(checkout / "installer" / "demo.sh", DISPLAY=":7")
    assert "haustra overlay" in done.stdout


def test_a_failed_overlay_fails_the_demo(checkout: Path) -> None:
    write_program(checkout / ".venv" / "bin" / "haustra", "exit 2")
    assert run_script(checkout / "installer" / "demo.sh").returncode == 2
