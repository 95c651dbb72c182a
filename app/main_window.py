"""The window: hands intentions to the session and its screens to the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow

from app.actions import ActionId, build_actions
from app.notices import FIRST_START, SELF_TEST_RUNS, Notice
from app.recordings import RecordingChoice
from app.screen import Screen
from app.self_test import SelfTest
from app.session import Session
from app.settings import Settings, films_folder
from app.views import Views
from app.widgets.help_dialog import HelpDialog
from app.widgets.live_dialog import LiveDialog, known_devices
from app.widgets.video_view import OverlayLook
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
        self.views = Views(self.actions_by_id)
        self.video = self.views.video
        self.setCentralWidget(self.views)
        self.resize(settings.window_width, settings.window_height)
        self.video.setFocus()
        self._connect()
        self._apply_look(self._look())
        self.views.transport.recorder.set_outputs(
            is_raw=settings.record_raw, is_overlay=settings.record_overlay
        )
        self.set_mode(Mode.LOW_LATENCY if settings.low_latency else Mode.MATCHED)
        self._show(self._screen)
        if not settings.was_greeted:
            self.views.notice_bar.show_notice(FIRST_START)
        self._timer = _timer(self, _TICK_MS, self.refresh)
        self._figures_timer = _timer(self, _FIGURES_MS, self.refresh_figures)

    def _connect(self) -> None:
        self.video.file_dropped.connect(self.session.open)
        self.video.double_clicked.connect(self.toggle_full_screen)
        self.views.transport.sought.connect(self.session.seek)
        self.views.side_panel.overlay.look_changed.connect(self._apply_look)
        self.views.side_panel.overlay.mode_chosen.connect(self.set_mode)
        self.views.side_panel.performance.backend.chosen.connect(self.change_backend)
        self.views.transport.recorder.outputs_chosen.connect(self._choose_outputs)
        self.views.transport.recorder.folder_wanted.connect(self.choose_record_folder)
        self.views.notice_bar.dismissed.connect(self._greeted)

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
            ActionId.BACKEND: self.show_backends,
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
            self.views.notice_bar.show_notice(notice)
        self._look_at_self_test()

    def _look_at_self_test(self) -> None:
        if self._self_test is None:
            return
        notice = self._self_test.tick()
        if notice is not None:
            self._self_test.close()
            self._self_test = None
            self.views.notice_bar.show_notice(notice)

    def refresh_figures(self) -> None:
        """Show latency, rates and counts."""
        self.views.show_figures()

    def _show(self, screen: Screen) -> None:
        self._screen = screen
        self.views.show_screen(screen)

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
        self.views.side_panel.overlay.set_mode(mode)

    def show_backends(self) -> None:
        """Offer the back ends to choose from."""
        self.views.side_panel.performance.backend.open_menu()

    def change_backend(self, name: str) -> None:
        """Have the folds found by another back end, or the fastest; the video goes on."""
        self.settings = replace(self.settings, backend=name)
        self.session.change_backend(name)

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
            self.views.notice_bar.show_notice(SELF_TEST_RUNS)

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
        if self.views.notice_bar.notice is not None:
            self.views.notice_bar.dismiss()
        elif self.isFullScreen():
            self.toggle_full_screen()

    def _look(self) -> OverlayLook:
        settings = self.settings
        return OverlayLook(
            settings.overlay_on, settings.filled, settings.opacity, fades=settings.fades
        )

    def _apply_look(self, look: OverlayLook) -> None:
        self.settings = replace(
            self.settings,
            overlay_on=look.is_on,
            filled=look.is_filled,
            opacity=look.opacity,
            fades=look.fades,
        )
        self.video.set_look(look)
        self.views.side_panel.overlay.set_look(look)

    def _greeted(self) -> None:
        self.settings = replace(self.settings, was_greeted=True)

    # Events

    def changeEvent(self, event: QEvent) -> None:
        """In full screen the panels make room for the picture."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.views.set_picture_alone(is_alone=self.isFullScreen())

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


def void(_value: object) -> None:
    """Drop a return value."""


def _timer(parent: QMainWindow, interval_ms: int, act: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(act)
    timer.start(interval_ms)
    return timer
