from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.actions import ActionId, build_actions
from app.widgets.recorder_strip import RecorderStrip, status_text
from engine.recording import RecordingStatus


@pytest.fixture
def actions(qtbot: QtBot) -> Iterator[dict[ActionId, QAction]]:
    parent = QWidget()
    qtbot.addWidget(parent)
    yield build_actions(parent, {which: lambda: None for which in ActionId})


@pytest.fixture
def strip(actions: dict[ActionId, QAction], qtbot: QtBot) -> RecorderStrip:
    made = RecorderStrip(actions)
    qtbot.addWidget(made)
    return made


def _choice(strip: RecorderStrip, text: str) -> QAction:
    (button,) = strip.findChildren(QToolButton)
    return next(action for action in button.menu().actions() if action.text() == text)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (RecordingStatus(171.9, 8595, {}, 0, 214 * 10**9), "● 02:51 · 214 GB left"),
        (RecordingStatus(3.0, 150, {"raw": 2}, 0, 4_300_000_000), "● 00:03 · 4.3 GB left · 2 lost"),
        (RecordingStatus(3661.0, 1, {}, 0, None), "● 1:01:01"),
    ],
)
def test_time_room_and_losses_are_told(status: RecordingStatus, text: str) -> None:
    assert status_text(status) == text


def test_nothing_is_told_while_nothing_is_recorded(strip: RecorderStrip) -> None:
    strip.set_status(RecordingStatus(1.0))
    strip.set_status(None)
    assert strip.text() == ""


def test_the_button_says_what_it_will_do(
    strip: RecorderStrip, actions: dict[ActionId, QAction]
) -> None:
    before = actions[ActionId.RECORD].text()
    strip.set_status(RecordingStatus())
    assert (before, actions[ActionId.RECORD].text()) == ("Record", "End the recording")


def test_chosen_outputs_are_reported(strip: RecorderStrip, qtbot: QtBot) -> None:
    with qtbot.waitSignal(strip.outputs_chosen, timeout=1000) as chosen:
        _choice(strip, "Pictures with their folds").trigger()
    assert chosen.args == [True, True]


def test_one_output_always_remains(strip: RecorderStrip, qtbot: QtBot) -> None:
    with qtbot.waitSignal(strip.outputs_chosen, timeout=1000) as chosen:
        _choice(strip, "Pictures as they came").trigger()
    assert chosen.args == [False, True]


def test_outputs_cannot_be_changed_while_recording(strip: RecorderStrip) -> None:
    strip.set_status(RecordingStatus())
    assert not _choice(strip, "Pictures as they came").isEnabled()
