"""Playback below the picture: buttons, position, time and speed."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.actions import ActionId
from app.icons import icon
from app.screen import Loop
from app.widgets.recorder_strip import RecorderStrip
from app.widgets.seek_slider import SeekSlider

_LEFT = (ActionId.START, ActionId.STEP_BACK, ActionId.PLAY, ActionId.STEP_FORWARD, ActionId.END)


class Transport(QWidget):
    """Buttons stand for the window's actions, so that key and button never differ."""

    sought = Signal(float)

    def __init__(self, actions: Mapping[ActionId, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._play = actions[ActionId.PLAY]
        self._actions = [actions[which] for which in (ActionId.PLAY, ActionId.RECORD)]
        self._jumps = [actions[which] for which in (*_LEFT, *_SPEED, ActionId.LOOP)]
        self._jumps.remove(self._play)
        self._is_playing: bool | None = None
        self._duration_s: float | None = None
        self.slider = SeekSlider()
        self.slider.sought.connect(self.sought)
        self.recorder = RecorderStrip(actions)
        self._time = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._time.setFont(theme.figures(theme.PANEL_PT + 1))
        self._speed = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._speed.setFont(theme.figures(theme.PANEL_PT))
        self._speed.setFixedWidth(self._speed.fontMetrics().horizontalAdvance("0.25×") + 4)
        self._loop = QLabel()
        self._loop.setObjectName("dim")
        self._arrange(actions)
        self.set_duration(None)
        self.set_position(0.0)
        self.set_speed(1.0)
        self.set_playing(is_playing=False)

    def _arrange(self, actions: Mapping[ActionId, QAction]) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        for which in _LEFT:
            size = 28 if which is ActionId.PLAY else 22
            row.addWidget(_button(actions[which], size), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(theme.MARGIN)
        row.addWidget(self._time)
        row.addSpacing(theme.MARGIN)
        row.addWidget(self.recorder)
        row.addStretch(1)
        row.addWidget(self._loop)
        row.addWidget(_button(actions[ActionId.LOOP], 20))
        row.addSpacing(theme.GAP)
        row.addWidget(_button(actions[ActionId.SLOWER], 20))
        row.addWidget(self._speed)
        row.addWidget(_button(actions[ActionId.FASTER], 20))
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN - 4, 8, theme.MARGIN - 4, 8)
        column.setSpacing(4)
        column.addWidget(self.slider)
        column.addLayout(row)

    def set_usable(self, *, is_usable: bool, is_live: bool = False) -> None:
        """Grey everything out while nothing is open; a live source can only be frozen and kept."""
        for action in self._actions:
            action.setEnabled(is_usable)
        for action in self._jumps:
            action.setEnabled(is_usable and not is_live)

    def set_playing(self, *, is_playing: bool) -> None:
        """Show what the play button will do."""
        if is_playing != self._is_playing:
            self._is_playing = is_playing
            self._play.setIcon(icon("pause" if is_playing else "play"))
            self._play.setText("Pause" if is_playing else "Play")

    def set_duration(self, duration_s: float | None) -> None:
        """Length of the source, None where it has no end."""
        self._duration_s = duration_s
        self.slider.set_duration(duration_s)

    def set_position(self, position_s: float) -> None:
        """Time of the picture on screen."""
        self.slider.set_position(position_s)
        total = "" if self._duration_s is None else f" / {clock_text(self._duration_s)}"
        self._time.setText(clock_text(position_s) + total)

    def set_speed(self, speed: float) -> None:
        """Times normal speed."""
        self._speed.setText(f"{speed:g}×")

    def set_loop(self, loop: Loop | None) -> None:
        """The part that repeats."""
        self.slider.set_loop(loop)
        if loop is None:
            self._loop.clear()
        else:
            end = "…" if loop.end_s is None else clock_text(loop.end_s)
            self._loop.setText(f"{clock_text(loop.start_s)} – {end}")

    def time_text(self) -> str:
        """Position and length, as shown."""
        return self._time.text()


_SPEED = (ActionId.SLOWER, ActionId.FASTER)


def clock_text(seconds: float) -> str:
    """`02:51.240`, with hours where there are any."""
    milliseconds = max(0, round(seconds * 1000))
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{hours}:{text}" if hours else text


def _button(action: QAction, size_px: int) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(size_px, size_px))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
