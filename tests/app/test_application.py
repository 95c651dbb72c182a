from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from app.application import check_display, install_exception_hook, open_model, run
from app.notices import Notice, NoticeKind
from engine.errors import HaustraError, SourceError
from engine.types import Frame
from tests.app.pictures import PATIENCE_MS, until


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Notice]]:
    # Put back by monkeypatch whatever the test installs.
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    notices: list[Notice] = []
    install_exception_hook(notices.append)
    yield notices


def _raise(error: BaseException) -> None:
    sys.excepthook(type(error), error, error.__traceback__)


def test_an_unforeseen_exception_becomes_a_notice(told: list[Notice]) -> None:
    _raise(ZeroDivisionError("oops"))
    assert [(notice.kind, "oops" in notice.what) for notice in told] == [(NoticeKind.FAULT, True)]


def test_an_explained_error_keeps_its_words(told: list[Notice]) -> None:
    _raise(SourceError("a.mp4 ended.", "Open it again."))
    assert [(notice.what, notice.remedy) for notice in told] == [("a.mp4 ended.", "Open it again.")]


def test_an_exception_in_another_thread_becomes_a_notice(told: list[Notice]) -> None:
    thread = threading.Thread(target=lambda: [][0])
    thread.start()
    thread.join()
    assert len(told) == 1


@pytest.mark.qt_no_exception_capture
def test_an_exception_in_a_slot_leaves_the_event_loop_running(
    told: list[Notice], qtbot: QtBot
) -> None:
    went_on: list[bool] = []
    QTimer.singleShot(0, lambda: [][0])
    QTimer.singleShot(10, lambda: went_on.append(True))
    qtbot.waitUntil(lambda: bool(went_on), timeout=PATIENCE_MS)
    assert len(told) == 1


def test_without_a_display_the_error_names_the_headless_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HaustraError, match="haustra overlay"):
        check_display()


def test_a_back_end_in_the_settings_that_is_not_here_is_replaced_and_said_so() -> None:
    told: list[Notice] = []
    analyser = open_model("tensort", told.append)
    analyser.close()
    assert "fastest of" in analyser.choice or "only one" in analyser.choice
    assert [notice.remedy for notice in told] == [
        "Did you mean tensorrt? Known: onnxruntime, openvino, tensorrt."
    ]


def test_a_back_end_in_the_settings_is_the_one_that_runs() -> None:
    told: list[Notice] = []
    analyser = open_model("openvino", told.append)
    analyser.close()
    assert (analyser.backend.name, analyser.choice, told) == ("openvino", "as asked", [])


def test_another_back_end_takes_over_in_a_window_that_plays() -> None:
    pytest.importorskip("onnxruntime")
    analyser = open_model("openvino", lambda _notice: None)
    analyser.change_backend("onnxruntime")
    picture = Frame(0, 0.0, 0.0, np.full((64, 64, 3), 90, np.uint8))
    assert until(lambda: analyser(picture) is not None and analyser.backend.name == "onnxruntime")
    assert (analyser.choice, analyser.note) == ("as asked", None)
    analyser.close()


def test_an_unknown_back_end_on_the_command_line_opens_no_window() -> None:
    with pytest.raises(HaustraError, match="no back end 'tensort'"):
        run(backend="tensort")
