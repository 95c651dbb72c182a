from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.actions import ActionId, build_actions
from app.widgets.overlay_panel import OverlayPanel
from app.widgets.video_view import OverlayLook
from engine.overlay import colour_of
from engine.shown import Mode
from tests.app.pictures import pixels, square


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[OverlayPanel]:
    parent = QWidget()
    qtbot.addWidget(parent)
    made = OverlayPanel(build_actions(parent, {which: lambda: None for which in ActionId}), parent)
    made.resize(264, 240)
    parent.show()
    yield made


def _button(panel: OverlayPanel, text: str) -> QToolButton:
    return next(button for button in panel.findChildren(QToolButton) if button.text() == text)


def test_folds_in_view_are_counted(panel: OverlayPanel) -> None:
    panel.set_folds([square(1, 0, 9), square(2, 0, 9)])
    assert panel.count_text() == "2 in view"


def test_unknown_is_not_none_in_view(panel: OverlayPanel) -> None:
    panel.set_folds(None)
    assert panel.count_text() == "–"


def test_a_swatch_has_the_colour_of_its_fold(panel: OverlayPanel) -> None:
    panel.set_folds([square(3, 0, 9)])
    assert (pixels(panel) == colour_of(3)).all(axis=2).any()


@pytest.mark.parametrize(
    ("pressed", "look"),
    [("Hidden", OverlayLook(is_on=False)), ("Outline", OverlayLook(is_filled=False))],
)
def test_a_pressed_button_reports_the_new_look(
    panel: OverlayPanel, qtbot: QtBot, pressed: str, look: OverlayLook
) -> None:
    with qtbot.waitSignal(panel.look_changed, timeout=1000) as changed:
        qtbot.mouseClick(_button(panel, pressed), Qt.MouseButton.LeftButton)
    assert changed.args == [look]


def test_setting_the_look_reports_nothing_back(panel: OverlayPanel, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(panel.look_changed):
        panel.set_look(OverlayLook(is_on=False, is_filled=False, opacity=0.5))


@pytest.mark.parametrize(
    ("pressed", "mode"), [("Low latency", Mode.LOW_LATENCY), ("Matched", Mode.MATCHED)]
)
def test_a_pressed_button_reports_the_mode(
    panel: OverlayPanel, qtbot: QtBot, pressed: str, mode: Mode
) -> None:
    with qtbot.waitSignal(panel.mode_chosen, timeout=1000) as chosen:
        qtbot.mouseClick(_button(panel, pressed), Qt.MouseButton.LeftButton)
    assert chosen.args == [mode]


def test_the_mode_that_was_set_is_the_one_pressed(panel: OverlayPanel) -> None:
    panel.set_mode(Mode.LOW_LATENCY)
    assert _button(panel, "Low latency").isChecked()
