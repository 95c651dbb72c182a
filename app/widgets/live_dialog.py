"""Asks for a live source: a capture device of this machine, or the address of a stream."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from app import theme
from engine.errors import HaustraError
from engine.sources.device import list_devices
from engine.sources.v4l2 import CaptureDevice

_HINT = """\
rtsp://HOST/PATH        RTSP over TCP
udp://:PORT             MPEG-TS sent to this computer
tcp://HOST:PORT         MPEG-TS to be fetched
http://HOST/PATH        MJPEG
session.sdp             RTP as that file describes it
live:exam.mp4           a recording, paced like a camera
screen:0,0,1280x720     a part of this screen"""
_AS_IT_IS = "As the device chooses"


def known_devices() -> list[CaptureDevice]:
    """The capture devices; none where they cannot be listed."""
    try:
        return list_devices()
    except HaustraError:
        return []


class LiveDialog(QDialog):
    """One line to choose from or to type into. What plays goes on behind it."""

    chosen = Signal(str)
    """The address to open."""

    def __init__(self, devices: Sequence[CaptureDevice], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Open live input")
        self.address = QComboBox()
        self.address.setEditable(True)
        self.address.setMinimumWidth(440)
        for device in devices:
            self.address.addItem(f"{device.name}: {device.address}", device.address)
        if not devices:
            self.address.setEditText("rtsp://")
        self.mode = QComboBox()
        self._devices = {device.address: device for device in devices}
        self.address.currentTextChanged.connect(lambda _text: self._offer_modes())
        self._offer_modes()
        hint = QLabel(_HINT)
        hint.setFont(theme.figures(theme.SMALL_PT))
        hint.setObjectName("dim")
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.finished.connect(self.deleteLater)
        column = QVBoxLayout(self)
        column.setSpacing(theme.GAP)
        column.addWidget(QLabel("Device or address"))
        column.addWidget(self.address)
        column.addWidget(QLabel("Format and size"))
        column.addWidget(self.mode)
        column.addWidget(hint)
        column.addWidget(buttons)

    def accept(self) -> None:
        """Tell the address, unless there is none."""
        address = self.mode.currentData() or self._address()
        if address:
            self.chosen.emit(address)
            super().accept()

    def _address(self) -> str:
        """Chosen or typed."""
        text = self.address.currentText().strip()
        index = self.address.findText(text)
        return str(self.address.itemData(index)) if index >= 0 else text

    def _offer_modes(self) -> None:
        """The ways in which the device films, best rate of each; none where it is no device."""
        device = self._devices.get(self._address())
        self.mode.clear()
        self.mode.addItem(_AS_IT_IS)
        if device is not None:
            for mode in device.modes:
                self.mode.addItem(str(mode), device.address_in(mode))
        self.mode.setEnabled(self.mode.count() > 1)
