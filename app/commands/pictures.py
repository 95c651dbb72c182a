"""`haustra pictures`: the README's pictures, taken from the real window playing the demo clip.

The frames shown are chosen by time, so that they are the same on every machine; only the measured
figures beside them are this machine's own.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RecordingError, SourceError
from resources import DEMO_CLIP

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from app.session import Session

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_PATIENCE_S = 60.0
_ATTEMPTS = 10
_BUSY = "Try again when the machine is less busy."
_RUN_UP_S = 3.0
"""How long the clip plays before a picture, so that tracks and figures have settled."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture."""

    name: str
    is_filled: bool
    is_playing: bool
    width: int = 1280
    height: int = 800


SHOTS = (
    Shot("window.png", is_filled=True, is_playing=True),
    Shot("outline.png", is_filled=False, is_playing=False),
)


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `pictures`."""
    parser = subparsers.add_parser(
        "pictures",
        help="take the README's pictures from the real window",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="?", default=str(DEMO_CLIP), help="the demo clip")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/pictures"), metavar="DIR")
    parser.add_argument("--at", type=float, default=6.0, metavar="S", help="time in the clip")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take every picture of `SHOTS`.

    Raises:
        HaustraError: the source cannot be shown or a picture cannot be written.
    """
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from app.application import make_application
    from app.session import Session

    make_application()
    for path in take_pictures(Session(), args.source, args.output, args.at):
        print(path)
    return 0


def take_pictures(session: Session, source: str, folder: Path, at_s: float) -> list[Path]:
    """Open the window on `source` and save every shot; returns the files.

    Raises:
        SourceError: the source does not open, or shows no analysed picture in time.
        RecordingError: a picture cannot be written.
    """
    from app.main_window import MainWindow
    from app.settings import Settings

    window = MainWindow(session, Settings(was_greeted=True), lambda _settings: None)
    try:
        window.show()
        session.open(source)
        _wait(lambda: _is_open(window), f"{source} does not open.")
        return [_take(window, shot, folder, at_s) for shot in SHOTS]
    finally:
        window.close()


def _is_open(window: MainWindow) -> bool:
    notice = window.views.notice_bar.notice
    if notice is not None:
        raise SourceError(notice.what, notice.remedy)
    return window.video.analysis is not None


def _take(window: MainWindow, shot: Shot, folder: Path, at_s: float) -> Path:
    window.resize(shot.width, shot.height)
    window.set_filled(is_filled=shot.is_filled)
    _catch(window, at_s)
    if not shot.is_playing:
        window.session.pause()
        window.session.seek(at_s)
        _wait(lambda: _is_paused_at(window, at_s), "The folds are not found in time.")
    window.refresh_figures()
    return _save(window, folder / shot.name)


def _catch(window: MainWindow, at_s: float) -> None:
    """Play up to `at_s` until the very frame at that time is on screen with its folds.

    Raises:
        SourceError: the machine is too busy to show it.
    """
    for _ in range(_ATTEMPTS):
        window.session.seek(max(0.0, at_s - _RUN_UP_S))
        window.session.play()
        _wait(lambda: _offset_s(window, at_s) < 0.0, "The clip does not play.")
        _wait(lambda: _offset_s(window, at_s) >= 0.0, "The clip does not play.")
        if _offset_s(window, at_s) == 0.0:
            return
    raise SourceError("The folds come too late for a picture.", _BUSY)


def _is_paused_at(window: MainWindow, at_s: float) -> bool:
    return window.views.status_line.text() == "PAUSED" and _offset_s(window, at_s) == 0.0


def _offset_s(window: MainWindow, at_s: float) -> float:
    """How far the analysed frame on screen is behind (< 0) or past (> 0) the one at `at_s`."""
    analysis, info = window.video.analysis, window.video_info
    if analysis is None or info is None:
        return math.nan
    frame_s = 1 / (info.frame_rate_hz or 25.0)
    # Whole frames, so that the frame shown at `at_s` counts as zero.
    return -(math.floor((at_s - analysis.frame.pts_s) / frame_s + 1e-3)) * frame_s


def _wait(is_so: Callable[[], bool], what: str) -> None:
    from PySide6.QtCore import QCoreApplication

    until_s = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > until_s:
            raise SourceError(what, _BUSY)
        QCoreApplication.processEvents()
        time.sleep(0.001)


def _save(window: MainWindow, path: Path) -> Path:
    part = path.with_suffix(f".part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not window.grab().save(str(part)):
            raise OSError("the picture cannot be written")
        part.replace(path)
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written ({error}).", "Choose another folder with -o."
        ) from error
    return path
