from __future__ import annotations

import pytest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.widgets.live_dialog import LiveDialog
from engine.sources.v4l2 import CaptureDevice

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


def test_cancel_opens_nothing(qtbot: QtBot) -> None:
    dialog = LiveDialog([_CARD])
    qtbot.addWidget(dialog)
    told: list[str] = []
    dialog.chosen.connect(told.append)
    dialog.reject()
    assert (told, dialog.result()) == ([], QDialog.DialogCode.Rejected)
