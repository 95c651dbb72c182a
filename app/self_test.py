"""The latency self-test: a video whose pictures carry their number, painted by the real window.

Latency counts from the moment a picture was decoded to the end of the paint event that showed it;
what the screen itself takes comes on top and cannot be seen from here.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.notices import Notice, NoticeKind
from app.session import Session
from app.widgets.video_view import VideoView
from engine.errors import HaustraError, SourceError
from engine.recorder import record_source
from engine.sources import open_source
from engine.sources.pattern import read_code
from engine.timing import Percentiles
from engine.types import Analysis, Frame

SELF_TEST_SPEC = "pattern:1280x720@50,frames=500"
_SETTLE_FRAMES = 25
"""Left out at the beginning: caches fill, the window finds its pace."""
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class SelfTestResult:
    """What was painted."""

    painted: int
    with_folds: int
    mismatched: int
    """Pictures whose number is not that of their time, or folds of another picture."""
    latency_ms: Percentiles | None
    """Decoded to painted."""

    def sentence(self) -> str:
        """For people."""
        if self.latency_ms is None:
            return "Self-test: no picture was painted."
        return (
            f"Self-test: {self.painted} pictures, decoded to painted "
            f"{self.latency_ms.p50:.0f} ms, 99 % within {self.latency_ms.p99:.0f} ms, "
            f"{self.with_folds} with their folds, {self.mismatched} mismatched."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        spread = self.latency_ms
        return {
            "painted": self.painted,
            "with_folds": self.with_folds,
            "mismatched": self.mismatched,
            "latency_ms": None
            if spread is None
            else {"p50": round(spread.p50, 2), "p95": round(spread.p95, 2),
                  "p99": round(spread.p99, 2), "max": round(spread.max, 2)},
        }  # fmt: skip


class Watch:
    """Notes what a view paints."""

    def __init__(self, rate_hz: float | None) -> None:
        self._rate_hz = rate_hz
        self._latency_ms: list[float] = []
        self._with_folds = self._mismatched = 0

    def note(self, frame: Frame, analysis: Analysis | None, painted_s: float) -> None:
        """A picture has been painted. Does not keep it."""
        if frame.index < _SETTLE_FRAMES:
            return
        self._latency_ms.append((painted_s - frame.captured_s) * 1e3)
        self._with_folds += analysis is not None
        code = read_code(frame.image)
        is_other = code is not None and analysis is not None and analysis.frame is not frame
        is_elsewhen = (
            code is not None
            and self._rate_hz is not None
            and code != round(frame.pts_s * self._rate_hz)
        )
        self._mismatched += is_other or is_elsewhen

    def result(self) -> SelfTestResult:
        """Of everything so far."""
        spread = Percentiles.of(self._latency_ms)
        return SelfTestResult(len(self._latency_ms), self._with_folds, self._mismatched, spread)


class SelfTest:
    """Writes the video in the background, plays it in the window, then goes back to what played.

    `tick` is called on the window's timer and never waits.
    """

    def __init__(self, session: Session, view: VideoView, spec: str = SELF_TEST_SPEC) -> None:
        self._session, self._view, self._spec = session, view, spec
        self._before = session.spec
        self._folder = tempfile.TemporaryDirectory(prefix="haustra-", ignore_cleanup_errors=True)
        self._clip = Path(self._folder.name) / "self-test.mp4"
        self._watch: Watch | None = None
        self._problem: HaustraError | None = None
        self._told = threading.Event()
        self._writer = threading.Thread(target=self._write, name="self-test", daemon=True)
        self._writer.start()

    def tick(self) -> Notice | None:
        """The outcome once there is one; else None."""
        if self._writer.is_alive():
            return None
        if self._problem is not None:
            return Notice.of(self._problem)
        if self._watch is None:
            self._begin()
            return None
        screen = self._session.tick()
        is_ours = self._session.spec == str(self._clip)
        if is_ours and (screen.status is None or not screen.status.at_end):
            return None
        self._view.on_painted = None
        if not is_ours:
            return Notice("The self-test was given up: something else was opened.")
        if self._before is not None:
            self._session.open(self._before)
        return Notice(self._watch.result().sentence(), kind=NoticeKind.NOTE)

    def close(self) -> None:
        """Give up, and remove the video."""
        self._told.set()
        self._view.on_painted = None
        self._writer.join(1.0)
        self._folder.cleanup()

    def _write(self) -> None:
        try:
            for _ in record_source(open_source(self._spec), self._clip):
                if self._told.is_set():
                    return
        except HaustraError as error:
            self._problem = error

    def _begin(self) -> None:
        self._watch = Watch(open_source(self._spec).info.frame_rate_hz)
        self._view.on_painted = self._watch.note
        self._session.open(self._clip)


def run_in_window(spec: str, longest_s: float) -> SelfTestResult:
    """Open the window on `spec`, watch it paint to the end, close it.

    Raises:
        HaustraError: there is no display, or the source cannot be opened.
    """
    from PySide6.QtCore import QCoreApplication

    from app.application import check_display, make_application
    from app.main_window import MainWindow
    from app.settings import Settings

    check_display()
    make_application()
    session = Session()
    window = MainWindow(session, Settings(was_greeted=True), lambda _settings: None)
    try:
        window.show()
        session.open(spec)
        _wait(lambda: session.wait_until_open(0.0), "The source does not open.")
        window.refresh()
        info = window.video_info
        if info is None:
            notice = window.views.notice_bar.notice
            raise SourceError(notice.what if notice else f"{spec} does not open.")
        watch = Watch(None if info.is_live else info.frame_rate_hz)
        window.video.on_painted = watch.note
        until_s = time.monotonic() + longest_s
        while time.monotonic() < until_s and not window.is_at_end:
            QCoreApplication.processEvents()
            time.sleep(0.0005)
        return watch.result()
    finally:
        window.close()


def _wait(is_so: Callable[[], bool], what: str) -> None:
    from PySide6.QtCore import QCoreApplication

    until_s = time.monotonic() + _PATIENCE_S
    while not is_so():
        if time.monotonic() > until_s:
            raise SourceError(what, "Try again when the machine is less busy.")
        QCoreApplication.processEvents()
        time.sleep(0.001)
