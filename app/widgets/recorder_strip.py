"""The record button with its choices, and how the recording is getting on."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from app import theme
from app.actions import ActionId
from app.icons import icon
from engine.recording import RecordingStatus


class RecorderStrip(QWidget):
    """● while nothing is recorded; else ■, time recorded, room on the disk and what was lost."""

    outputs_chosen = Signal(bool, bool)
    """As they came, with their folds."""
    folder_wanted = Signal()

    def __init__(self, actions: Mapping[ActionId, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._record = actions[ActionId.RECORD]
        self._is_recording: bool | None = None
        self._text = QLabel()
        self._text.setFont(theme.figures(theme.PANEL_PT))
        self._raw = _choice("Pictures as they came")
        self._overlay = _choice("Pictures with their folds")
        button = QToolButton()
        button.setDefaultAction(self._record)
        button.setIconSize(QSize(24, 24))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setMenu(self._menu(button))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(button)
        row.addWidget(self._text)
        self.set_outputs(is_raw=True, is_overlay=False)
        self.set_status(None)

    def _menu(self, parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        for choice in (self._raw, self._overlay):
            choice.setParent(menu)
            choice.triggered.connect(self._report)
            menu.addAction(choice)
        menu.addSeparator()
        menu.addAction("Record to…", self.folder_wanted.emit)
        return menu

    def set_outputs(self, *, is_raw: bool, is_overlay: bool) -> None:
        """What will be recorded: at least one of the two."""
        self._raw.setChecked(is_raw or not is_overlay)
        self._overlay.setChecked(is_overlay)

    def set_status(self, status: RecordingStatus | None) -> None:
        """How the recording is getting on; None where there is none."""
        is_recording = status is not None
        if is_recording != self._is_recording:
            self._is_recording = is_recording
            self._record.setIcon(icon("stop" if is_recording else "record"))
            self._record.setText("End the recording" if is_recording else "Record")
            for choice in (self._raw, self._overlay):
                choice.setEnabled(not is_recording)
        self._text.setVisible(is_recording)
        self._text.setText("" if status is None else status_text(status))
        colour = theme.FAULT if status is not None and status.lost else theme.TEXT
        self._text.setStyleSheet(f"color: {colour};")

    def text(self) -> str:
        """As shown."""
        return self._text.text()

    def _report(self) -> None:
        if not self._raw.isChecked() and not self._overlay.isChecked():
            # One of the two; the other one, if this one was switched off.
            chosen = self._overlay if self.sender() is self._raw else self._raw
            chosen.setChecked(True)
        self.outputs_chosen.emit(self._raw.isChecked(), self._overlay.isChecked())


def status_text(status: RecordingStatus) -> str:
    """`● 02:51 · 214 GB left`, with hours and losses where there are any."""
    minutes, seconds = divmod(int(status.elapsed_s), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"● {f'{hours}:' if hours else ''}{minutes:02d}:{seconds:02d}"]
    if status.free_bytes is not None:
        large = status.free_bytes >= 10**10
        amount = f"{status.free_bytes / 1e9:.0f}" if large else f"{status.free_bytes / 1e9:.1f}"
        parts.append(f"{amount} GB left")
    if status.lost:
        parts.append(f"{status.lost} lost")
    return " · ".join(parts)


def _choice(text: str) -> QAction:
    action = QAction(text)
    action.setCheckable(True)
    return action
