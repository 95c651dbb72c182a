from __future__ import annotations

from collections import Counter

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.actions import ACTIONS, ActionId, build_actions, keys_text, row_of
from app.icons import NAMES


def test_every_action_has_exactly_one_row() -> None:
    assert Counter(row.id for row in ACTIONS) == Counter(ActionId)


def test_no_key_does_two_things() -> None:
    keys = Counter(key for row in ACTIONS for key in row.keys)
    assert [key for key, uses in keys.items() if uses > 1] == []


@pytest.mark.parametrize("key", [key for row in ACTIONS for key in row.keys])
def test_every_key_is_one_that_qt_knows(key: str) -> None:
    portable = QKeySequence.SequenceFormat.PortableText
    assert QKeySequence(key).toString(portable) == key


def test_every_icon_in_the_table_is_drawn_somewhere() -> None:
    assert {row.icon for row in ACTIONS if row.icon} <= NAMES


def test_keys_are_written_for_people() -> None:
    assert keys_text(row_of(ActionId.HELP)) == "F1 / ?"


def test_an_action_without_a_handler_is_refused(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    with pytest.raises(KeyError):
        build_actions(parent, {})


def test_a_triggered_action_calls_its_handler(qtbot: QtBot) -> None:
    parent, called = QWidget(), list[ActionId]()
    qtbot.addWidget(parent)
    actions = build_actions(
        parent, {which: lambda which=which: called.append(which) for which in ActionId}
    )
    actions[ActionId.LOOP].trigger()
    assert called == [ActionId.LOOP]
