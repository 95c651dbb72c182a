"""Starts Qt, the look, the session and the window, and keeps the window alive after surprises."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import TracebackType

from PySide6.QtWidgets import QApplication

from app.checkup import has_display
from app.main_window import MainWindow
from app.notices import Notice
from app.opening import unexpected
from app.session import Session
from app.settings import default_path, load_settings, save_settings
from app.theme import apply_theme
from engine.analyser import Analyser, open_analyser
from engine.backends import AUTOMATIC, check_name
from engine.errors import BackendError, HaustraError
from engine.sources import AUTO, open_source
from resources import DEMO_CLIP

_log = logging.getLogger(__name__)


def run(source: str | None = None, backend: str | None = None, decoder: str = AUTO) -> int:
    """Open the window on `source`, or on the demo clip; returns the exit code.

    Args:
        source: what to open.
        backend: for this time; otherwise as in the settings.
        decoder: of everything opened in this window (see `engine.sources.open_source`).

    Raises:
        HaustraError: there is no display to open a window on, or no such back end.
    """
    if backend not in (None, AUTOMATIC):
        check_name(backend)
    check_display()
    application = make_application()
    path = default_path()
    settings, notice = load_settings(path)
    wanted = backend or settings.backend
    session = Session(
        partial(open_source, decoder=decoder),
        lambda: open_model(wanted, session.tell),
        wanted,
    )
    window = MainWindow(session, settings, partial(save_settings, path=path))
    if notice is not None:
        session.tell(notice)
    install_exception_hook(session.tell)
    if source is not None:
        session.open(source)
    elif DEMO_CLIP.exists():
        session.open(DEMO_CLIP)
    window.show()
    code = application.exec()
    if not window.has_stopped:
        # A thread that hangs in a driver or a network would keep, or abort, the whole program.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def open_model(backend: str, tell: Callable[[Notice], None]) -> Analyser:
    """The shipped model on `backend`; where that cannot be, on the fastest that works.

    Raises:
        BundleError, BackendError: the model cannot be used at all.
    """
    try:
        return open_analyser(backend=backend, may_change=True)
    except BackendError as error:
        if backend == AUTOMATIC:
            raise
        tell(Notice(f"{error.what} The fastest back end that works is used.", error.remedy))
        return open_analyser(may_change=True)


def check_display() -> None:
    """Say so in words where Qt would abort.

    Raises:
        HaustraError: this is Linux and neither X nor Wayland is there.
    """
    if not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        raise HaustraError(
            "There is no display to open a window on.",
            "Use `haustra overlay SOURCE -o OUT.mp4`, or start it where there is a desktop.",
        )


def make_application() -> QApplication:
    """The one QApplication, in our look."""
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication(sys.argv[:1])
    application.setApplicationName("haustra")
    application.setApplicationDisplayName("Haustra")
    apply_theme(application)
    return application


def install_exception_hook(tell: Callable[[Notice], None]) -> None:
    """Turn every exception nobody caught, in any thread, into a notice; the window lives on."""

    def on_exception(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        _log.error("not caught", exc_info=(kind, error, trace))
        tell(Notice.of(error) if isinstance(error, HaustraError) else unexpected("This", error))

    def on_thread_exception(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            on_exception(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = on_exception
    threading.excepthook = on_thread_exception
