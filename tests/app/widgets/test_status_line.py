from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.screen import Signal
from app.widgets.status_line import COLOURS, StatusLine, StatusMark


def _silhouette(widget: QWidget) -> np.ndarray:
    """(h, w) bool: where the widget differs from its corner's colour."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    grey = rows[:, : image.width()].astype(int)
    return np.abs(grey - grey[0, 0]) > 60


def _mark(qtbot: QtBot, signal: Signal) -> np.ndarray:
    mark = StatusMark()
    qtbot.addWidget(mark)
    mark.set_signal(signal)
    return _silhouette(mark)


@pytest.mark.parametrize("signal", list(Signal))
def test_the_state_is_written_in_words(qtbot: QtBot, signal: Signal) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_signal(signal, "Because.")
    assert line.text() == f"{signal.value} Because."


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(Signal, 2)))
def test_two_states_differ_in_shape(qtbot: QtBot, one: Signal, other: Signal) -> None:
    first, second = _mark(qtbot, one), _mark(qtbot, other)
    assert np.count_nonzero(first != second) > 0.15 * np.count_nonzero(first | second)


def test_two_states_differ_in_colour() -> None:
    assert len(set(COLOURS.values())) == len(Signal)


def test_a_long_fault_does_not_widen_the_window(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_signal(Signal.FAULT, "The decoder stopped. " * 40)
    line.set_machinery("a very long description of a model " * 20)
    assert line.minimumSizeHint().width() < 400


def test_the_state_can_be_read_by_a_screen_reader(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_signal(Signal.LATE, "Folds withdrawn.")
    assert line.accessibleName() == "LATE. Folds withdrawn."


def test_the_machinery_makes_room_while_there_is_no_signal(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_machinery("haustra-folds · OpenVINO · h264 (software, 1 thread)")
    line.set_signal(Signal.LIVE, "")
    width = line.minimumSizeHint().width()
    line.set_signal(Signal.NO_SIGNAL, "No signal from Capture 1. Waiting.")
    assert line._machinery.isHidden()
    line.set_signal(Signal.LIVE, "")
    assert not line._machinery.isHidden()
    assert line.minimumSizeHint().width() == width


@pytest.mark.parametrize("signal", list(Signal))
def test_there_is_room_for_every_word_before_it_comes(qtbot: QtBot, signal: Signal) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.set_signal(signal, "")
    (word,) = [label for label in line.findChildren(QLabel) if label.text() == signal.value]
    assert word.sizeHint().width() <= word.minimumWidth()
