"""The demo as a newcomer meets it, in the environment the tests run in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

import resources

ROOT = Path(__file__).resolve().parents[2]
needs_demo = pytest.mark.skipif(
    not (resources.DEMO_CLIP.is_file() and (resources.DEFAULT_BUNDLE / "manifest.json").is_file()),
    reason="the demo clip or the bundled model is not here",
)
needs_display = pytest.mark.skipif(
    not os.environ.get("DISPLAY"), reason="no X display; make test brings one"
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A place for the demo's output that shares the installer with this checkout."""
    shutil.copytree(ROOT / "installer", tmp_path / "installer")
    return tmp_path


def demo(checkout: Path, timeout_s: float, **variables: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [checkout / "installer" / "demo.sh"],
        env={**kept, "VENV": sys.prefix, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@needs_demo
def test_without_a_display_the_demo_leaves_a_video_and_a_picture(checkout: Path) -> None:
    done = demo(checkout, timeout_s=120)
    assert done.returncode == 0, done.stderr
    picture = cv2.imread(str(checkout / "demo-output" / "folds.png"))
    assert picture is not None
    assert (checkout / "demo-output" / "folds.mp4").stat().st_size > 0


@needs_demo
@needs_display
def test_with_a_display_the_demo_opens_a_window_that_stays(checkout: Path) -> None:
    display = os.environ["DISPLAY"]
    with pytest.raises(subprocess.TimeoutExpired) as stayed:
        demo(checkout, timeout_s=8, DISPLAY=display, QT_QPA_PLATFORM="xcb")
    assert b"Traceback" not in (stayed.value.stderr or b"")
