"""One back end that serves now, others that may take over: a better one, or one in an emergency.

The pictures never wait. While a plan is built on a thread of its own, what is there already
serves; when the better one is ready it takes the next picture, never one that is under way. When
the one that serves fails, the next of the others takes the very same picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.backends import InferenceBackend, check_picture
from engine.errors import BackendError, HaustraError
from engine.types import Image

_LONGEST_STOP_S = 2.0

Open = Callable[[], InferenceBackend]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A back end that is not open yet."""

    name: str
    open: Open
    """May take minutes. Raises HaustraError where it cannot."""
    cancel: Callable[[], None] = lambda: None
    """Makes `open` give up soon; called from another thread."""


class Serving:
    """A back end made of several. `close` may come from any thread, `infer` from one.

    Args:
        first: open, serves at once.
        size: of the pictures.
        better: opened on a thread of its own, takes over when it is ready.
        others: opened, in this order, when what serves fails.
        reason: why `first` was chosen, for people.
        note: on that choice, where `first` has nothing to say itself.
    """

    def __init__(
        self,
        first: InferenceBackend,
        size: int,
        *,
        better: Candidate | None = None,
        others: Iterable[Candidate] = (),
        reason: str = "",
        note: str | None = None,
    ) -> None:
        self._serves = first
        self._size = size
        self._others = list(others)
        self._reason = reason
        self._note = first.note or note
        self._lock = threading.Lock()
        self._ready: InferenceBackend | None = None
        self._spare: InferenceBackend | None = None
        self._is_closed = False
        self._better = better
        self._thread: threading.Thread | None = None
        if better is not None:
            self._thread = threading.Thread(
                target=self._prepare, args=(better,), name=f"prepare {better.name}", daemon=True
            )
            self._thread.start()

    @property
    def name(self) -> str:
        """Of the one that serves."""
        return self._serves.name

    @property
    def description(self) -> str:
        """Of the one that serves."""
        return self._serves.description

    @property
    def reason(self) -> str:
        """Why it is this one, for people."""
        return self._reason

    @property
    def note(self) -> str | None:
        """The newest thing to know: a failure, a change, or what the back end itself says."""
        return self._note

    @property
    def standing_by(self) -> tuple[Candidate, ...]:
        """Those that would serve after a failure, in their order."""
        return tuple(self._others)

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Wait for the better one, ready or failed; False after `timeout_s`."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities.

        Raises:
            BackendError: the picture has another shape or type, or no back end is left.
        """
        check_picture(image, self._size)
        self._change_over()
        while True:
            try:
                return self._serves.infer(image)
            except BackendError as error:
                if self._is_closed or not self._replace_after(error):
                    raise

    def close(self) -> None:
        """Give everything back; what is still being prepared is told to stop."""
        with self._lock:
            self._is_closed = True
            ready, self._ready = self._ready, None
        if self._better is not None:
            self._better.cancel()
            # A builder at work when the interpreter ends takes the program down with it.
            self.wait_until_settled(_LONGEST_STOP_S)
        for backend in (ready, self._spare, self._serves):
            if backend is not None:
                backend.close()

    def _prepare(self, better: Candidate) -> None:
        try:
            opened = better.open()
        except HaustraError as error:
            self._tell(f"{better.name} does not take over. {error}")
            return
        except Exception as error:  # noqa: BLE001  (top of a worker)
            self._tell(f"{better.name} does not take over: {error}. What runs goes on.")
            return
        with self._lock:
            if not self._is_closed:
                self._ready = opened
                return
        opened.close()

    def _change_over(self) -> None:
        """Let the better one serve from this picture on."""
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is None:
            return
        before, self._serves = self._serves, ready
        # It costs only memory, and is there at once should the better one fail.
        self._spare = before
        self._others.insert(0, Candidate(before.name, lambda: before))
        self._reason = f"ready since; {before.name} served meanwhile"
        self._note = ready.note

    def _replace_after(self, error: BackendError) -> bool:
        """Have the next of the others serve; False where none is left."""
        failed = self._serves
        while self._others:
            candidate = self._others.pop(0)
            try:
                opened = candidate.open()
            except HaustraError:
                continue
            failed.close()
            self._serves = opened
            self._reason = f"{failed.name} failed"
            self._note = f"{error.what} {opened.description} goes on instead."
            return True
        return False

    def _tell(self, note: str) -> None:
        with self._lock:
            if not self._is_closed:
                self._note = note
