"""The window as a whole, playing real sources."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import cv2
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.main_window import MainWindow
from app.notices import FIRST_START
from app.session import Session
from app.settings import Settings
from app.theme import apply_theme
from engine.analyser import Analyser
from engine.errors import BundleError
from engine.sources import open_source
from engine.sources.pattern import read_code
from tests.app.pictures import PATIENCE_MS, SquareFinder, pixels

_CLIP = "pattern:640x360@50,frames=400"


def _finder() -> Analyser:
    return cast(Analyser, SquareFinder())


def _no_model() -> Analyser:
    raise BundleError("There is no model bundle.", "Train one.")


class Desk:
    """A window, and what it saved."""

    def __init__(self, settings: Settings, open_analyser: Callable[[], Analyser]) -> None:
        self.saved: list[Settings] = []
        session = Session(open_source, open_analyser)
        self.window = MainWindow(session, settings, lambda chosen: self.saved.append(chosen))

    def plays(self) -> bool:
        return self.window.video.frame is not None


Open = Callable[..., Desk]


@pytest.fixture
def open_desk(qapp: QApplication, qtbot: QtBot) -> Iterator[Open]:
    apply_theme(qapp)
    desks: list[Desk] = []

    def new(
        spec: str | None = _CLIP,
        settings: Settings | None = None,
        open_analyser: Callable[[], Analyser] = _finder,
    ) -> Desk:
        desk = Desk(settings or Settings(was_greeted=True), open_analyser)
        qtbot.addWidget(desk.window)
        desks.append(desk)
        with qtbot.waitActive(desk.window, timeout=PATIENCE_MS):
            desk.window.show()
            desk.window.activateWindow()
        if spec is not None:
            desk.window.session.open(spec)
            qtbot.waitUntil(desk.plays, timeout=PATIENCE_MS)
        return desk

    yield new
    for desk in desks:
        desk.window.close()


def test_the_code_on_screen_is_that_of_the_analysed_frame_over_a_whole_clip(
    open_desk: Open, qtbot: QtBot
) -> None:
    desk = open_desk("pattern:640x360@50,frames=60")
    video = desk.window.video
    checked: set[int] = set()

    def has_ended() -> bool:
        if video.analysis is not None and video.frame is not None:
            rect = video.picture_rect().toRect()
            assert video.analysis.frame is video.frame
            shown = pixels(video)[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1]
            # The code is read at the size at which it was drawn.
            unscaled = cv2.resize(shown, (640, 360), interpolation=cv2.INTER_AREA)
            assert read_code(unscaled) == video.analysis.frame.index
            checked.add(video.frame.index)
        return 59 in checked

    qtbot.waitUntil(has_ended, timeout=PATIENCE_MS)
    assert len(checked) > 3


def test_t_chooses_between_matched_and_low_latency(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk(None).window
    for is_low_latency in (True, False):
        qtbot.keyClick(window, Qt.Key.Key_T)
        assert window.settings.low_latency is is_low_latency


@pytest.mark.parametrize(
    ("key", "setting"), [(Qt.Key.Key_O, "overlay_on"), (Qt.Key.Key_C, "filled")]
)
def test_a_key_changes_how_folds_are_drawn(
    open_desk: Open, qtbot: QtBot, key: Qt.Key, setting: str
) -> None:
    window = open_desk(None).window
    qtbot.keyClick(window, key)
    assert getattr(window.settings, setting) is False


def test_ctrl_r_records_and_ends_the_recording(
    open_desk: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = Settings(was_greeted=True, record_folder=str(tmp_path))
    window = open_desk(settings=settings).window
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(
        lambda: window.views.transport.recorder.text().startswith("● 00:00"), timeout=PATIENCE_MS
    )
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: window.views.transport.recorder.text() == "", timeout=PATIENCE_MS)
    window.close()
    assert len(list(tmp_path.glob("haustra-*.mkv"))) == 1


def test_space_pauses_whatever_has_the_focus(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    window.views.transport.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(
        lambda: window.views.status_line.text().startswith("PAUSED"), timeout=PATIENCE_MS
    )


def test_a_frame_step_shows_the_next_frame(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    window.session.pause()
    window.session.seek(2.0)
    qtbot.waitUntil(
        lambda: bool(window.video.frame and window.video.frame.index == 100), timeout=PATIENCE_MS
    )
    qtbot.keyClick(window, Qt.Key.Key_Period)
    qtbot.waitUntil(
        lambda: bool(window.video.frame and window.video.frame.index == 101), timeout=PATIENCE_MS
    )


def test_the_first_start_says_what_it_is_for(open_desk: Open) -> None:
    assert open_desk(None, Settings()).window.views.notice_bar.notice == FIRST_START


def test_the_greeting_once_closed_does_not_come_back(open_desk: Open, qtbot: QtBot) -> None:
    desk = open_desk(None, Settings())
    qtbot.keyClick(desk.window, Qt.Key.Key_Escape)
    desk.window.close()
    assert desk.saved[-1].was_greeted


def test_a_missing_model_leaves_the_window_playing(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk(open_analyser=_no_model).window
    qtbot.waitUntil(
        lambda: window.views.status_line.text().startswith("FAULT"), timeout=PATIENCE_MS
    )
    qtbot.waitUntil(
        lambda: bool(window.video.frame and window.video.frame.index > 5), timeout=PATIENCE_MS
    )


def test_the_status_line_says_live_while_folds_match(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    qtbot.waitUntil(lambda: window.views.status_line.text() == "LIVE", timeout=PATIENCE_MS)


def test_model_and_decoder_are_named(open_desk: Open) -> None:
    window = open_desk().window
    assert window.views.status_line.machinery_text().startswith("square finder · 640 × 360, ")


def test_the_panel_shows_the_latency_of_what_was_painted(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    qtbot.waitUntil(
        lambda: window.views.side_panel.performance.texts()["Median"] != "–", timeout=PATIENCE_MS
    )


def test_full_screen_leaves_the_picture_and_the_status(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(lambda: not window.views.transport.isVisible(), timeout=PATIENCE_MS)
    assert window.views.status_line.isVisible()
    assert not window.views.side_panel.isVisible()


def test_escape_leaves_full_screen(open_desk: Open, qtbot: QtBot) -> None:
    window = open_desk().window
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.waitUntil(window.isFullScreen, timeout=PATIENCE_MS)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(window.views.transport.isVisible, timeout=PATIENCE_MS)


@pytest.mark.parametrize("key", [Qt.Key.Key_Question, Qt.Key.Key_F1])
def test_help_opens_beside_the_video(open_desk: Open, qtbot: QtBot, key: Qt.Key) -> None:
    window = open_desk(None).window
    qtbot.keyClick(window, key)
    assert window.is_help_visible


def test_closing_the_window_keeps_its_size(open_desk: Open) -> None:
    desk = open_desk(None)
    desk.window.resize(1000, 700)
    desk.window.close()
    assert (desk.saved[-1].window_width, desk.saved[-1].window_height) == (1000, 700)


def test_a_back_end_that_takes_over_is_named_while_the_video_plays(
    open_desk: Open, qtbot: QtBot
) -> None:
    finder = SquareFinder()
    window = open_desk(open_analyser=lambda: cast(Analyser, finder)).window
    finder.description, finder.choice = "another finder", "ready since"

    def is_named() -> bool:
        return window.views.status_line.machinery_text().startswith("another finder · ")

    qtbot.waitUntil(is_named, timeout=PATIENCE_MS)
    assert window.views.side_panel.performance.backend.texts() == ("Automatic", "ready since")


def test_another_back_end_is_asked_for_by_key_and_kept(open_desk: Open, qtbot: QtBot) -> None:
    finder = SquareFinder()
    desk = open_desk(open_analyser=lambda: cast(Analyser, finder))
    choice = desk.window.views.side_panel.performance.backend
    qtbot.keyClick(desk.window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert choice.is_open
    menu = QApplication.activePopupWidget()
    assert menu is not None
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(menu, key)
    assert finder.asked_for == ["openvino"]
    qtbot.waitUntil(lambda: choice.texts()[0] == "OpenVINO", timeout=PATIENCE_MS)
    desk.window.close()
    assert desk.saved[-1].backend == "openvino"
