from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.widgets.live_dialog import LiveDialog
from engine.sources.v4l2 import CaptureDevice, Mode

_CARD = CaptureDevice("device:/dev/video0", "Capture 1: USB Video")


def _chosen(qtbot: QtBot, devices: list[CaptureDevice], typed: str | None) -> list[str]:
    """What the dialog tells after `typed` (None: nothing) and Open."""
    dialog = LiveDialog(devices)
    qtbot.addWidget(dialog)
    told: list[str] = []
    dialog.chosen.connect(told.append)
    if typed is not None:
        dialog.address.setEditText(typed)
    dialog.accept()
    return told


def test_the_first_device_is_one_key_away(qtbot: QtBot) -> None:
    assert _chosen(qtbot, [_CARD], None) == ["device:/dev/video0"]


@pytest.mark.parametrize("devices", [[], [_CARD]])
def test_an_address_can_be_typed(qtbot: QtBot, devices: list[CaptureDevice]) -> None:
    assert _chosen(qtbot, devices, " udp://:5000 ") == ["udp://:5000"]


def test_nothing_typed_opens_nothing(qtbot: QtBot) -> None:
    assert _chosen(qtbot, [_CARD], "  ") == []


def test_a_device_is_opened_in_the_format_and_size_that_were_chosen(qtbot: QtBot) -> None:
    modes = (Mode("mjpeg", 1920, 1080, (60.0, 30.0)), Mode("yuyv422", 640, 480))
    other = CaptureDevice("device:/dev/video2", "Capture 2", modes)
    dialog = LiveDialog([_CARD, other])
    qtbot.addWidget(dialog)
    assert not dialog.mode.isEnabled()
    dialog.address.setCurrentIndex(1)
    offered = [dialog.mode.itemText(index) for index in range(dialog.mode.count())]
    assert offered == [
        "As the device chooses",
        "mjpeg 1920x1080 at 60 30 Hz",
        "yuyv422 640x480",
    ]
    dialog.mode.setCurrentIndex(1)
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.accept()
    assert chosen.args == ["device:/dev/video2?size=1920x1080&rate=60&format=mjpeg"]


def test_an_address_typed_after_a_format_was_chosen_is_opened_as_it_is(qtbot: QtBot) -> None:
    dialog = LiveDialog([CaptureDevice("device:/dev/video0", "Card", (Mode("mjpeg", 64, 48),))])
    qtbot.addWidget(dialog)
    dialog.mode.setCurrentIndex(1)
    dialog.address.setEditText("udp://:5000")
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.accept()
    assert chosen.args == ["udp://:5000"]


def test_cancel_opens_nothing(qtbot: QtBot) -> None:
    dialog = LiveDialog([_CARD])
    qtbot.addWidget(dialog)
    told: list[str] = []
    dialog.chosen.connect(told.append)
    dialog.reject()
    assert (told, dialog.result()) == ([], QDialog.DialogCode.Rejected)
