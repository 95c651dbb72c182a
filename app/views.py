"""All that the window shows: puts the views together and tells them what a new screen changes."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.actions import ActionId
from app.screen import Screen
from app.session import IDLE
from app.widgets.notice_bar import NoticeBar
from app.widgets.side_panel import SidePanel
from app.widgets.status_line import StatusLine
from app.widgets.transport import Transport
from app.widgets.video_view import VideoView


class Views(QWidget):
    """Status line, notices, picture, transport and side panel."""

    def __init__(self, actions: Mapping[ActionId, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status_line = StatusLine()
        self.notice_bar = NoticeBar()
        self.video = VideoView()
        self.transport = Transport(actions)
        self.side_panel = SidePanel(actions)
        self._arrange()
        self._screen: Screen | None = None

    def _arrange(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.video, 1)
        left.addWidget(self.transport)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addLayout(left, 1)
        middle.addWidget(self.side_panel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.status_line)
        column.addWidget(self.notice_bar)
        column.addLayout(middle, 1)

    def set_picture_alone(self, *, is_alone: bool) -> None:
        """Picture and status line alone, or everything."""
        self.side_panel.setVisible(not is_alone)
        self.transport.setVisible(not is_alone)

    def show_screen(self, new: Screen) -> None:
        """Show what differs from the screen before; all of it at first."""
        is_first, old = self._screen is None, self._screen or new
        self._screen = new
        self.video.set_clear(is_clear=new.is_clear)
        self.video.show_picture(new.frame, new.analysis, new.tracked)
        if is_first or new.folds is not old.folds:
            self.side_panel.overlay.set_folds(new.folds)
        if is_first or new.info is not old.info:
            self._show_source(new)
        if is_first or (new.info, new.model, new.choice) != (old.info, old.model, old.choice):
            self._show_machinery(new)
        if is_first or new.backend != old.backend:
            self.side_panel.performance.backend.set_wanted(new.backend)
        if is_first or (new.signal, new.detail) != (old.signal, old.detail):
            self.status_line.set_signal(new.signal, new.detail)
            self.video.set_message(*_message(new))
        self.transport.set_playing(is_playing=new.is_playing)
        if is_first or new.position_s != old.position_s or new.info is not old.info:
            self.transport.set_position(new.position_s)
        if is_first or new.speed != old.speed:
            self.transport.set_speed(new.speed)
        if is_first or new.recording is not old.recording:
            self.transport.recorder.set_status(new.recording)
        if is_first or new.loop != old.loop:
            self.transport.set_loop(new.loop)

    def show_figures(self) -> None:
        """Show latency, rates and counts."""
        now_s = time.monotonic()
        log, panel = self.video.log, self.side_panel.performance
        panel.set_latency(log.series(now_s), log.summary(now_s))
        panel.set_status(None if self._screen is None else self._screen.status)
        panel.set_age(None if self._screen is None else self._screen.folds_age_ms)

    def _show_source(self, screen: Screen) -> None:
        info = screen.info
        self.video.log.clear()
        is_live = info is not None and info.is_live
        self.transport.set_usable(is_usable=info is not None, is_live=is_live)
        self.transport.set_duration(None if info is None else info.duration_s)
        self.window().setWindowTitle("Haustra" if info is None else f"Haustra · {info.name}")
        self.status_line.set_source("Haustra" if info is None else info.name)

    def _show_machinery(self, screen: Screen) -> None:
        """What computes and what decodes; a back end may change while a video plays."""
        info = screen.info
        decoder = "" if info is None else f"{info.width} × {info.height}, {info.decoder}"
        parts = [part for part in (screen.model, decoder) if part]
        self.status_line.set_machinery(" · ".join(parts))
        self.side_panel.performance.backend.set_reason(screen.choice)


def _message(screen: Screen) -> tuple[str, str]:
    """What stands in the place of the picture: a headline and a hint."""
    if screen.info is None and screen.detail == IDLE:
        return "Open a recording", "Ctrl+O, or drop a file or a folder here; Ctrl+L for live input"
    signal = None if screen.status is None else screen.status.signal
    return screen.detail, (signal and signal.problem) or ""
