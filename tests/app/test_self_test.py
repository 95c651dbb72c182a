"""The latency self-test, on a small video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.self_test import SelfTest, Watch
from app.session import Session
from app.settings import Settings
from engine.sources import open_source
from engine.sources.pattern import Pattern
from tests.app.pictures import PATIENCE_MS, analysis_of, find_square

_SPEC = "pattern:160x96@50,frames=60"


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot) -> Iterator[MainWindow]:
    session = Session(open_source, find_square)
    made = MainWindow(session, Settings(was_greeted=True), lambda _settings: None)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def test_the_window_tells_its_latency_and_goes_back(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.session.open("pattern:320x200@25,frames=500")
    window._self_test = SelfTest(window.session, window.video, _SPEC)

    def is_told() -> bool:
        notice = window.views.notice_bar.notice
        return notice is not None and notice.what.startswith("Self-test: ")

    qtbot.waitUntil(is_told, timeout=PATIENCE_MS)
    notice = window.views.notice_bar.notice
    assert notice is not None
    assert notice.what.endswith("0 mismatched.")
    qtbot.waitUntil(
        lambda: window.video_info is not None and window.video_info.width == 320,
        timeout=PATIENCE_MS,
    )


def test_opening_something_else_gives_the_self_test_up(window: MainWindow, qtbot: QtBot) -> None:
    window._self_test = SelfTest(window.session, window.video, _SPEC)
    qtbot.waitUntil(
        lambda: Path(window.session.spec or "").name == "self-test.mp4", timeout=PATIENCE_MS
    )
    window.session.open("pattern:320x200@25,frames=500")

    def is_told() -> bool:
        notice = window.views.notice_bar.notice
        return notice is not None and "given up" in notice.what

    qtbot.waitUntil(is_told, timeout=PATIENCE_MS)


def test_latency_is_from_captured_to_painted() -> None:
    watch, source = Watch(50.0), Pattern(_SPEC)
    for _ in range(30):
        frame = source.read()
        assert frame is not None
        watch.note(replace(frame, captured_s=10.0), None, 10.02)
    result = watch.result()
    assert (result.painted, result.with_folds, result.mismatched) == (5, 0, 0)
    assert result.latency_ms is not None
    assert result.latency_ms.p50 == pytest.approx(20.0)


def test_a_picture_of_another_time_is_mismatched() -> None:
    watch, source = Watch(50.0), Pattern(_SPEC)
    frames = [source.read() for _ in range(30)]
    for frame in frames[25:]:
        assert frame is not None
        watch.note(replace(frame, pts_s=frame.pts_s + 0.02), analysis_of(frame), 0.0)
    assert watch.result().mismatched == 5


def test_without_a_picture_there_is_no_figure() -> None:
    result = Watch(50.0).result()
    assert result.sentence() == "Self-test: no picture was painted."
    assert result.to_json()["latency_ms"] is None
