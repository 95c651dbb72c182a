"""What a user may drop on the window by mistake leaves it usable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.session import Session
from app.settings import Settings
from app.theme import apply_theme
from engine.analyser import Analyser
from engine.sources import open_source
from tests.app.media import ODD, UNUSABLE
from tests.app.pictures import PATIENCE_MS, SquareFinder

Make = Callable[[Path], Path]


@pytest.fixture
def window(qapp: QApplication, qtbot: QtBot) -> Iterator[MainWindow]:
    apply_theme(qapp)
    session = Session(open_source, lambda: cast(Analyser, SquareFinder()))
    made = MainWindow(session, Settings(was_greeted=True), lambda _settings: None)
    qtbot.addWidget(made)
    made.show()
    session.open("pattern:160x120@50,frames=5000")
    qtbot.waitUntil(lambda: made.video.frame is not None, timeout=PATIENCE_MS)
    yield made
    made.close()


@pytest.mark.parametrize("make", UNUSABLE, ids=lambda make: make.__name__)
def test_a_file_that_cannot_play_is_told_with_a_remedy(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, make: Make
) -> None:
    window.session.open(make(tmp_path))
    qtbot.waitUntil(lambda: window.views.notice_bar.notice is not None, timeout=PATIENCE_MS)
    notice = window.views.notice_bar.notice
    assert notice is not None
    assert notice.remedy
    assert "Traceback" not in notice.what


@pytest.mark.parametrize("make", UNUSABLE, ids=lambda make: make.__name__)
def test_what_played_before_plays_on(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, make: Make
) -> None:
    window.session.open(make(tmp_path))
    qtbot.waitUntil(lambda: window.views.notice_bar.notice is not None, timeout=PATIENCE_MS)
    frame = window.video.frame
    assert frame is not None
    qtbot.waitUntil(
        lambda: bool(window.video.frame and window.video.frame.index > frame.index),
        timeout=PATIENCE_MS,
    )


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_but_sound_file_shows_its_picture(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, make: Make
) -> None:
    path = make(tmp_path)
    window.session.open(path)
    qtbot.waitUntil(lambda: path.name in window.windowTitle(), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: bool(window.video.analysis), timeout=PATIENCE_MS)
    assert window.views.notice_bar.notice is None
