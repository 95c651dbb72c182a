"""Opens sources and the model away from the window's thread, so that the window never freezes.

An `Opening` opens one source and the model, then puts them on the `Stage`, which stops what
played before. It may be given up at any time: a disk or network that hangs then harms nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.notices import Notice, NoticeKind
from engine.analyser import Analyser
from engine.errors import HaustraError, SourceError
from engine.pipeline import Pipeline
from engine.sources import SourceInfo, VideoSource
from engine.sources.address import public_name

OpenSource = Callable[[str], VideoSource]
OpenAnalyser = Callable[[], Analyser]


@dataclass(frozen=True, slots=True)
class Opened:
    """A source that plays."""

    pipeline: Pipeline
    source: VideoSource
    info: SourceInfo
    analyser: Analyser | None
    """None where there is no usable model: the video plays bare."""


class Stage:
    """The one pipeline that plays. Replacing it is the business of one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: Opened | None = None

    @property
    def opened(self) -> Opened | None:
        """What plays now."""
        return self._opened

    def replace(
        self, source: VideoSource, analyser: Analyser | None, is_wanted: Callable[[], bool]
    ) -> bool:
        """Stop what plays and start `source`; False, source closed, where no longer wanted.

        Raises:
            SourceError: what plays does not stop, so that its analyser is still in use.
        """
        with self._lock:
            if not is_wanted():
                source.close()
                return False
            if self._opened is not None and not self._opened.pipeline.stop():
                source.close()
                raise SourceError(
                    f"{self._opened.info.name} does not let go.",
                    "Try again in a moment, or close the program and start it again.",
                )
            previous, pipeline = self._opened, Pipeline(source, analyser)
            pipeline.start()
            self._opened = Opened(pipeline, source, source.info, analyser)
            if previous is not None:
                previous.pipeline.close()
            return True

    def clear(self) -> bool:
        """Stop what plays, within the pipeline's own bounded time; False if it still runs."""
        with self._lock:
            if self._opened is None:
                return True
            has_stopped = self._opened.pipeline.stop()
            self._opened.pipeline.close(0.0)
            self._opened = None
            return has_stopped


class Model:
    """The analyser, opened once, by whoever asks first. Safe to share between threads."""

    def __init__(self, open_analyser: OpenAnalyser) -> None:
        self._open = open_analyser
        self._lock = threading.Lock()
        self._analyser: Analyser | None = None
        self._wanted: str | None = None

    def change_backend(self, name: str) -> None:
        """Have it computed by another back end: at once, or as soon as it is open. Never waits."""
        self._wanted = name
        if self._analyser is not None:
            self._analyser.change_backend(name)

    def get(self) -> Analyser:
        """The analyser.

        Raises:
            BundleError, BackendError: there is no usable model; the next call tries again.
        """
        with self._lock:
            if self._analyser is None:
                self._analyser = self._open()
                if self._wanted is not None:
                    self._analyser.change_backend(self._wanted)
            return self._analyser

    def close(self) -> None:
        """Give the analyser back, and stop what its back end still prepares."""
        with self._lock:
            analyser, self._analyser = self._analyser, None
        if analyser is not None:
            analyser.close()


class Opening:
    """One attempt, on a thread of its own."""

    def __init__(self, spec: str, open_source: OpenSource, model: Model, stage: Stage) -> None:
        self.spec = spec
        self.notices: tuple[Notice, ...] = ()
        """What to tell; final once `is_done`."""
        self._open_source = open_source
        self._model = model
        self._stage = stage
        self._given_up = threading.Event()
        self._done = threading.Event()
        threading.Thread(target=self._run, name=f"open {public_name(spec)}", daemon=True).start()

    @property
    def is_done(self) -> bool:
        """Nothing more will happen."""
        return self._done.is_set()

    def give_up(self) -> None:
        """Do not put the source on the stage any more."""
        self._given_up.set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until done; False after `timeout_s`."""
        return self._done.wait(max(0.0, timeout_s))

    def _run(self) -> None:
        try:
            source = self._open_source(self.spec)
            analyser = self._get_analyser()
            self._stage.replace(source, analyser, lambda: not self._given_up.is_set())
        except HaustraError as error:
            self.notices = (Notice.of(error),)
        except Exception as error:  # noqa: BLE001 - the top of a thread: nobody else can tell
            self.notices = (unexpected(f"Opening {public_name(self.spec)}", error),)
        finally:
            self._done.set()

    def _get_analyser(self) -> Analyser | None:
        try:
            return self._model.get()
        except HaustraError as error:
            self.notices = (Notice.of(error, NoticeKind.FAULT),)
            return None


def unexpected(doing: str, error: BaseException) -> Notice:
    """The notice of an error nobody foresaw."""
    return Notice(
        f"{doing} failed: {type(error).__name__}: {error}",
        "You can go on; please report this if it happens again.",
        NoticeKind.FAULT,
    )
