"""One back end that serves now, others that may take over: a better one, or one in an emergency.

The pictures never wait. While a plan is built on a thread of its own, what is there already
serves; when the better one is ready it takes the next picture, never one that is under way. So it
is with one that the user asks for. When the one that serves fails, the next of the others takes
the very same picture.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.backends import CardBackend, InferenceBackend, check_grid, check_picture
from engine.card import CardGrid
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
    reason: Callable[[], str] | None = None
    """Why it takes over, for people, asked once it is open; None: because it is ready at last."""


class Serving:
    """A back end made of several. `infer` is called from one thread, all else from any.

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
        self._ready: tuple[Candidate, InferenceBackend] | None = None
        self._spares: list[InferenceBackend] = []
        self._is_closed = False
        self._wanted: Candidate | None = None
        self._threads: list[threading.Thread] = []
        if better is not None:
            self._begin(better)

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
        """Wait for what is being prepared, ready or failed; False after `timeout_s`."""
        until_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def change_to(self, other: Candidate) -> None:
        """Prepare `other`, never waiting; it takes over before one of the next pictures.

        What is still being prepared is given up. Where `other` does not open, what serves goes
        on, and `note` says why.
        """
        with self._lock:
            if self._is_closed:
                return
            spare = next((each for each in self._spares if each.name == other.name), None)
            self._reason = f"{self._serves.name}, until {other.name} is ready"
        if self._wanted is not None:
            self._wanted.cancel()
        self._begin(other if spare is None else replace(other, open=lambda: spare))

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

    @property
    def takes_card(self) -> bool:
        """Whether the one that serves does."""
        return isinstance(self._serves, CardBackend) and self._serves.takes_card

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        """The same for a picture on the card; taken from here where what serves cannot.

        Raises:
            BackendError: the picture has another size, or no back end is left.
        """
        check_grid(grid, self._size)
        self._change_over()
        serves = self._serves
        if isinstance(serves, CardBackend) and serves.takes_card:
            try:
                return serves.infer_on_card(grid)
            except BackendError as error:
                if self._is_closed or not self._replace_after(error):
                    raise
        return self.infer(grid.here)

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none."""
        return self._serves.depth()

    def close(self) -> None:
        """Give everything back; what is still being prepared is told to stop."""
        with self._lock:
            self._is_closed = True
            ready, self._ready = self._ready, None
        if self._wanted is not None:
            self._wanted.cancel()
            # A builder at work when the interpreter ends takes the program down with it.
            self.wait_until_settled(_LONGEST_STOP_S)
        for backend in (*(() if ready is None else ready[1:]), *self._spares, self._serves):
            backend.close()

    def _begin(self, wanted: Candidate) -> None:
        self._wanted = wanted
        thread = threading.Thread(
            target=self._prepare, args=(wanted,), name=f"prepare {wanted.name}", daemon=True
        )
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        thread.start()

    def _prepare(self, wanted: Candidate) -> None:
        try:
            opened = wanted.open()
        except HaustraError as error:
            self._tell_of(wanted, f"{wanted.name} does not take over. {error}")
            return
        except Exception as error:  # noqa: BLE001  (top of a worker)
            self._tell_of(wanted, f"{wanted.name} does not take over: {error}. What runs goes on.")
            return
        unused: InferenceBackend | None = opened
        with self._lock:
            if not self._is_closed and wanted is self._wanted:
                unused = None if self._ready is None else self._ready[1]
                self._ready = (wanted, opened)
        if unused is not None and unused not in self._spares:
            unused.close()

    def _change_over(self) -> None:
        """Let the one that was prepared serve from this picture on."""
        with self._lock:
            ready, self._ready = self._ready, None
            if ready is None:
                return
            candidate, opened = ready
            before, self._serves = self._serves, opened
            self._spares = [each for each in self._spares if each is not opened]
            used = (before.name, opened.name)
            self._others = [each for each in self._others if each.name not in used]
            if before.name != opened.name:
                # It costs only memory, and is there at once should the other one fail.
                self._spares.append(before)
                self._others.insert(0, Candidate(before.name, lambda: before))
        if before.name == opened.name:
            before.close()
        meanwhile = f"ready since; {before.name} served meanwhile"
        self._reason = meanwhile if candidate.reason is None else candidate.reason()
        self._note = opened.note

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
            self._spares = [each for each in self._spares if each is not opened]
            self._reason = f"{failed.name} failed"
            self._note = f"{error.what} {opened.description} goes on instead."
            return True
        return False

    def _tell_of(self, wanted: Candidate, note: str) -> None:
        with self._lock:
            if self._is_closed or wanted is not self._wanted:
                return
            self._note = note
            if wanted.reason is not None:
                self._reason = f"{self._serves.name}, since {wanted.name} does not open"
