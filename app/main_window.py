"""The window: puts the views together, hands intentions to the session and shows its screens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QCloseEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import ActionId, build_actions
from app.notices import FIRST_START, SELF_TEST_RUNS, Notice
from app.recordings import RecordingChoice
from app.screen import Screen
from app.self_test import SelfTest
from app.session import IDLE, Session
from app.settings import Settings, films_folder
from app.widgets.help_dialog import HelpDialog
from app.widgets.live_dialog import LiveDialog, known_devices
from app.widgets.notice_bar import NoticeBar
from app.widgets.overlay_panel import OverlayPanel
from app.widgets.performance_panel import PerformancePanel
from app.widgets.status_line import StatusLine
from app.widgets.transport import Transport
from app.widgets.video_view import OverlayLook, VideoView
from engine.shown import Mode
from engine.sources import SourceInfo

_TICK_MS = 8
_FIGURES_MS = 250
_FILTER = (
    "Recordings and pictures (*.mp4 *.mkv *.avi *.mov *.mpg *.mpeg *.m4v *.webm *.wmv *.ts"
    " *.png *.jpg *.jpeg *.bmp *.tif *.tiff);;All files (*)"
)


class MainWindow(QMainWindow):
    """One window, one session."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        save: Callable[[Settings], Notice | None],
    ) -> None:
        super().__init__()
        self.session = session
        self.settings = settings
        self._save = save
        self._screen = Screen()
        self._help: HelpDialog | None = None
        self._self_test: SelfTest | None = None
        self.has_stopped = True
        """False after closing where a thread of the session could not be ended."""
        self.actions_by_id = build_actions(self, self._handlers())
        self.status_line = StatusLine()
        self.notice_bar = NoticeBar()
        self.video = VideoView()
        self.transport = Transport(self.actions_by_id)
        self.overlay_panel = OverlayPanel(self.actions_by_id)
        self.performance_panel = PerformancePanel()
        self._panel = self._side_panel()
        self._arrange()
        self.video.setFocus()
        self._connect()
        self._apply_look(self._look())
        self.transport.recorder.set_outputs(
            is_raw=settings.record_raw, is_overlay=settings.record_overlay
        )
        self.set_mode(Mode.LOW_LATENCY if settings.low_latency else Mode.MATCHED)
        self._show(Screen(), is_first=True)
        if not settings.was_greeted:
            self.notice_bar.show_notice(FIRST_START)
        self._timer = _timer(self, _TICK_MS, self.refresh)
        self._figures_timer = _timer(self, _FIGURES_MS, self.refresh_figures)

    # Arrangement

    def _side_panel(self) -> QWidget:
        panel = QWidget()
        panel.setObjectName("panel")
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        panel.setFixedWidth(theme.PANEL_WIDTH)
        column = QVBoxLayout(panel)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN - 4)
        column.setSpacing(theme.GAP)
        column.addWidget(self.overlay_panel)
        column.addSpacing(theme.MARGIN)
        column.addWidget(self.performance_panel, 1)
        column.addStretch(1)
        buttons = QHBoxLayout()
        open_button = _button(self.actions_by_id[ActionId.OPEN])
        open_button.setText(" Open")
        open_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        buttons.addWidget(open_button)
        buttons.addStretch(1)
        for which in (ActionId.SELF_TEST, ActionId.FULL_SCREEN, ActionId.HELP):
            buttons.addWidget(_button(self.actions_by_id[which]))
        column.addLayout(buttons)
        return panel

    def _arrange(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addWidget(self.video, 1)
        left.addWidget(self.transport)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addLayout(left, 1)
        middle.addWidget(self._panel)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.status_line)
        column.addWidget(self.notice_bar)
        column.addLayout(middle, 1)
        self.setCentralWidget(body)
        self.resize(self.settings.window_width, self.settings.window_height)

    def _connect(self) -> None:
        self.video.file_dropped.connect(self.session.open)
        self.video.double_clicked.connect(self.toggle_full_screen)
        self.transport.sought.connect(self.session.seek)
        self.overlay_panel.look_changed.connect(self._apply_look)
        self.overlay_panel.mode_chosen.connect(self.set_mode)
        self.transport.recorder.outputs_chosen.connect(self._choose_outputs)
        self.transport.recorder.folder_wanted.connect(self.choose_record_folder)
        self.notice_bar.dismissed.connect(self._greeted)

    def _handlers(self) -> dict[ActionId, Callable[[], None]]:
        session = self.session
        return {
            ActionId.OPEN: self.choose_file,
            ActionId.OPEN_LIVE: self.choose_live,
            ActionId.RECORD: self.toggle_recording,
            ActionId.QUIT: lambda: void(self.close()),
            ActionId.PLAY: session.toggle_play,
            ActionId.STEP_FORWARD: lambda: session.step(1),
            ActionId.STEP_BACK: lambda: session.step(-1),
            ActionId.SECOND_FORWARD: lambda: session.seek_by(1.0),
            ActionId.SECOND_BACK: lambda: session.seek_by(-1.0),
            ActionId.FAR_FORWARD: lambda: session.seek_by(5.0),
            ActionId.FAR_BACK: lambda: session.seek_by(-5.0),
            ActionId.START: lambda: session.seek(0.0),
            ActionId.END: session.seek_to_end,
            ActionId.SLOWER: lambda: session.change_speed(-1),
            ActionId.FASTER: lambda: session.change_speed(1),
            ActionId.NORMAL_SPEED: lambda: session.change_speed(0),
            ActionId.LOOP: session.cycle_loop,
            ActionId.OVERLAY: self.toggle_overlay,
            ActionId.FILL: self.toggle_fill,
            ActionId.MODE: self.toggle_mode,
            ActionId.FULL_SCREEN: self.toggle_full_screen,
            ActionId.SELF_TEST: self.start_self_test,
            ActionId.HELP: self.show_help,
            ActionId.DISMISS: self.dismiss,
        }

    # Reality to views

    def refresh(self) -> None:
        """Show the newest picture and what has changed since the last call."""
        self._show(self.session.tick())
        for notice in self.session.take_notices():
            self.notice_bar.show_notice(notice)
        self._look_at_self_test()

    def _look_at_self_test(self) -> None:
        if self._self_test is None:
            return
        notice = self._self_test.tick()
        if notice is not None:
            self._self_test.close()
            self._self_test = None
            self.notice_bar.show_notice(notice)

    def refresh_figures(self) -> None:
        """Show latency, rates and counts."""
        now_s = time.monotonic()
        log = self.video.log
        self.performance_panel.set_latency(log.series(now_s), log.summary(now_s))
        self.performance_panel.set_status(self._screen.status)
        self.performance_panel.set_age(self._screen.folds_age_ms)

    def _show(self, new: Screen, *, is_first: bool = False) -> None:
        old, self._screen = self._screen, new
        self.video.show_picture(new.frame, new.analysis, new.tracked)
        if is_first or new.folds is not old.folds:
            self.overlay_panel.set_folds(new.folds)
        if is_first or new.info is not old.info:
            self._show_source(new)
        if is_first or (new.info, new.model, new.choice) != (old.info, old.model, old.choice):
            self._show_machinery(new)
        if is_first or (new.signal, new.detail) != (old.signal, old.detail):
            self.status_line.set_signal(new.signal, new.detail)
            self.video.set_message(*_message(new))
        self.transport.set_playing(is_playing=new.is_playing)
        if is_first or new.position_s != old.position_s or new.info is not old.info:
            self.transport.set_position(new.position_s)
        if new.speed != old.speed:
            self.transport.set_speed(new.speed)
        if is_first or new.recording is not old.recording:
            self.transport.recorder.set_status(new.recording)
        if new.loop != old.loop:
            self.transport.set_loop(new.loop)

    def _show_source(self, screen: Screen) -> None:
        info = screen.info
        self.video.log.clear()
        is_live = info is not None and info.is_live
        self.transport.set_usable(is_usable=info is not None, is_live=is_live)
        self.transport.set_duration(None if info is None else info.duration_s)
        self.setWindowTitle("Haustra" if info is None else f"Haustra · {info.name}")
        self.status_line.set_source("Haustra" if info is None else info.name)

    def _show_machinery(self, screen: Screen) -> None:
        """What computes and what decodes; a back end may change while a video plays."""
        info = screen.info
        decoder = "" if info is None else f"{info.width} × {info.height}, {info.decoder}"
        parts = [part for part in (screen.model, decoder) if part]
        self.status_line.set_machinery(" · ".join(parts))
        self.performance_panel.set_choice(screen.choice)

    @property
    def video_info(self) -> SourceInfo | None:
        """What is known about the source on screen."""
        return self._screen.info

    # Intentions

    def choose_file(self) -> None:
        """Ask for a recording; what plays goes on meanwhile."""
        name, _ = QFileDialog.getOpenFileName(
            self, "Open a recording", self.settings.last_folder, _FILTER
        )
        if name:
            self.settings = replace(self.settings, last_folder=str(Path(name).parent))
            self.session.open(name)

    def choose_live(self) -> None:
        """Ask for a device or a stream; what plays goes on meanwhile."""
        dialog = LiveDialog(known_devices(), self)
        dialog.chosen.connect(self.session.open)
        dialog.open()

    def toggle_overlay(self) -> None:
        """Show or hide the folds."""
        look = self._look()
        self._apply_look(replace(look, is_on=not look.is_on))

    def toggle_fill(self) -> None:
        """Fill or outline."""
        self.set_filled(is_filled=not self.settings.filled)

    def set_filled(self, *, is_filled: bool) -> None:
        """Filled folds, or outlines."""
        self._apply_look(replace(self._look(), is_filled=is_filled))

    def toggle_mode(self) -> None:
        """Matched or low latency."""
        self.set_mode(Mode.MATCHED if self.settings.low_latency else Mode.LOW_LATENCY)

    def set_mode(self, mode: Mode) -> None:
        """Each picture with its own folds, or the newest with folds moved along."""
        self.settings = replace(self.settings, low_latency=mode is Mode.LOW_LATENCY)
        self.session.set_mode(mode)
        self.overlay_panel.set_mode(mode)

    def toggle_recording(self) -> None:
        """Record what plays, or end the recording."""
        if self._screen.recording is not None:
            self.session.end_recording()
            return
        settings = self.settings
        folder = Path(settings.record_folder) if settings.record_folder else films_folder()
        self.session.record(RecordingChoice(folder, settings.record_raw, settings.record_overlay))

    def choose_record_folder(self) -> None:
        """Ask where recordings go."""
        folder = self.settings.record_folder or str(films_folder())
        name = QFileDialog.getExistingDirectory(self, "Record to", folder)
        if name:
            self.settings = replace(self.settings, record_folder=name)

    def _choose_outputs(self, is_raw: bool, is_overlay: bool) -> None:
        self.settings = replace(self.settings, record_raw=is_raw, record_overlay=is_overlay)

    def toggle_full_screen(self) -> None:
        """Picture and status line alone, or everything."""
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def start_self_test(self) -> None:
        """Measure the window's own latency; what plays comes back afterwards."""
        if self._self_test is None:
            self._self_test = SelfTest(self.session, self.video)
            self.notice_bar.show_notice(SELF_TEST_RUNS)

    @property
    def is_at_end(self) -> bool:
        """The last picture has been reached and has its folds, or will not get them."""
        status = self._screen.status
        if status is None or not status.at_end:
            return False
        return status.fault is not None or status.analysed + status.dropped >= status.frames_in

    def show_help(self) -> None:
        """Keys and about, beside the running video."""
        if self._help is None:
            self._help = HelpDialog(self)
        self._help.show()
        self._help.raise_()

    @property
    def is_help_visible(self) -> bool:
        """The table of keys is open."""
        return self._help is not None and self._help.isVisible()

    def dismiss(self) -> None:
        """Close the notice, else leave full screen."""
        if self.notice_bar.notice is not None:
            self.notice_bar.dismiss()
        elif self.isFullScreen():
            self.toggle_full_screen()

    def _look(self) -> OverlayLook:
        return OverlayLook(self.settings.overlay_on, self.settings.filled, self.settings.opacity)

    def _apply_look(self, look: OverlayLook) -> None:
        self.settings = replace(
            self.settings, overlay_on=look.is_on, filled=look.is_filled, opacity=look.opacity
        )
        self.video.set_look(look)
        self.overlay_panel.set_look(look)

    def _greeted(self) -> None:
        self.settings = replace(self.settings, was_greeted=True)

    # Events

    def changeEvent(self, event: QEvent) -> None:
        """In full screen the panels make room for the picture."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self._panel.setVisible(not self.isFullScreen())
            self.transport.setVisible(not self.isFullScreen())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the session, keep the settings."""
        self._timer.stop()
        self._figures_timer.stop()
        if not (self.isFullScreen() or self.isMaximized()):
            self.settings = replace(
                self.settings, window_width=self.width(), window_height=self.height()
            )
        self._save(self.settings)
        if self._self_test is not None:
            self._self_test.close()
        self.hide()
        self.has_stopped = self.session.close()
        super().closeEvent(event)


def _message(screen: Screen) -> tuple[str, str]:
    """What stands in the place of the picture: a headline and a hint."""
    if screen.info is None and screen.detail == IDLE:
        return "Open a recording", "Ctrl+O, or drop a file or a folder here; Ctrl+L for live input"
    signal = None if screen.status is None else screen.status.signal
    return screen.detail, (signal and signal.problem) or ""


def void(_value: object) -> None:
    """Drop a return value."""


def _timer(parent: QMainWindow, interval_ms: int, act: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(act)
    timer.start(interval_ms)
    return timer


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(20, 20))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
