from __future__ import annotations

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.actions import ACTIONS, keys_text
from app.widgets.help_dialog import HelpDialog, about_text


def test_every_action_is_listed_with_its_keys(qtbot: QtBot) -> None:
    dialog = HelpDialog()
    qtbot.addWidget(dialog)
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert {text for row in ACTIONS for text in (row.text, keys_text(row))} <= texts


def test_about_says_that_it_is_not_for_diagnosis() -> None:
    assert "Research and training. Not for diagnosis." in about_text()
