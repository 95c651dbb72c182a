from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.actions import ActionId, build_actions
from app.screen import Loop
from app.widgets.transport import Transport, clock_text


@pytest.fixture
def transport(qtbot: QtBot) -> Iterator[Transport]:
    parent = QWidget()
    qtbot.addWidget(parent)
    actions = build_actions(parent, {which: lambda: None for which in ActionId})
    made = Transport(actions, parent)
    made.resize(800, made.sizeHint().height())
    parent.show()
    yield made


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "00:00.000"),
        (171.24, "02:51.240"),
        (1087.0, "18:07.000"),
        (59.9996, "01:00.000"),
        (3661.5, "1:01:01.500"),
        (-0.001, "00:00.000"),
    ],
)
def test_time_is_written_as_minutes_seconds_milliseconds(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_position_and_length_are_shown_together(transport: Transport) -> None:
    transport.set_duration(1087.0)
    transport.set_position(171.24)
    assert transport.time_text() == "02:51.240 / 18:07.000"


def test_a_source_without_an_end_shows_its_position_only(transport: Transport) -> None:
    transport.set_duration(None)
    transport.set_position(3.0)
    assert transport.time_text() == "00:03.000"


def test_a_click_on_the_slider_seeks_there(transport: Transport, qtbot: QtBot) -> None:
    transport.set_duration(100.0)
    slider = transport.slider
    with qtbot.waitSignal(transport.sought, timeout=1000) as sought:
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=slider.rect().center())
    assert sought.args is not None
    assert sought.args[0] == pytest.approx(50.0, abs=1.0)


def test_playback_does_not_pull_the_handle_from_the_hand(
    transport: Transport, qtbot: QtBot
) -> None:
    transport.set_duration(100.0)
    slider = transport.slider
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, 5))
    transport.set_position(3.0)
    assert slider.value() == 100_000


def test_a_live_source_cannot_be_sought(transport: Transport) -> None:
    transport.set_duration(None)
    assert not transport.slider.isEnabled()


def test_a_loop_is_drawn_without_error(transport: Transport) -> None:
    transport.set_duration(10.0)
    transport.set_loop(Loop(2.0, 4.0))
    assert not transport.grab().isNull()


def test_a_live_source_can_be_frozen_and_recorded_and_nothing_else(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    actions = build_actions(parent, {which: lambda: None for which in ActionId})
    made = Transport(actions, parent)
    made.set_usable(is_usable=True, is_live=True)
    buttons = (
        ActionId.PLAY, ActionId.RECORD, ActionId.START, ActionId.STEP_BACK, ActionId.END,
        ActionId.LOOP, ActionId.FASTER,
    )  # fmt: skip
    usable = [which for which in buttons if actions[which].isEnabled()]
    assert usable == [ActionId.PLAY, ActionId.RECORD]
