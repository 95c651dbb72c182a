"""Back ends that do what a test wants, around a real one or in the place of a device."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from engine.backends import InferenceBackend
from engine.errors import BackendError
from engine.timing import ManualClock
from engine.types import Image

WAIT_S = 20.0
"""Longest wait for another thread; tests that pass never take it."""


class Wrapped:
    """A real back end under another name."""

    note: str | None = None

    def __init__(self, inner: InferenceBackend, name: str) -> None:
        self._inner = inner
        self.name = name
        self.description = f"{name} ({inner.description})"
        self.is_closed = False

    def infer(self, image: Image) -> NDArray[np.float32]:
        return self._inner.infer(image)

    def depth(self) -> NDArray[np.float32] | None:
        return self._inner.depth()

    def close(self) -> None:
        self.is_closed = True
        self._inner.close()


class Timed(Wrapped):
    """Each picture takes so long, by a clock that only moves here."""

    def __init__(
        self, inner: InferenceBackend, name: str, clock: ManualClock, took_s: float
    ) -> None:
        super().__init__(inner, name)
        self._clock = clock
        self._took_s = took_s

    def infer(self, image: Image) -> NDArray[np.float32]:
        self._clock.advance(self._took_s)
        return super().infer(image)


class Gated(Wrapped):
    """Works on a picture only when the test lets it."""

    def __init__(self, inner: InferenceBackend, name: str) -> None:
        super().__init__(inner, name)
        self.is_busy = threading.Event()
        self.may_finish = threading.Event()

    def infer(self, image: Image) -> NDArray[np.float32]:
        self.is_busy.set()
        assert self.may_finish.wait(WAIT_S), "the test never let it finish"
        return super().infer(image)


class Failing(Wrapped):
    """A device that goes away at its `at`-th picture, first is 0."""

    def __init__(self, inner: InferenceBackend, name: str, at: int = 0) -> None:
        super().__init__(inner, name)
        self._left = at

    def infer(self, image: Image) -> NDArray[np.float32]:
        if self._left == 0:
            raise BackendError(f"{self.name} lost its device.", "Open it again.")
        self._left -= 1
        return super().infer(image)
