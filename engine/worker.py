"""One thread that does one thing until told to stop, and says what state it is in.

```
 STOPPED ─start─▶ STARTING ─▶ RUNNING ─stop─▶ STOPPING ─▶ STOPPED ─start─▶ ...
                                 │ exception
                                 ▼
                              FAULTED ─start─▶ STARTING        (the other workers go on)
```
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.errors import HaustraError
from engine.types import WorkerState

_log = logging.getLogger(__name__)


class Worker:
    """One thread that does `step` until stopped; whatever it raises becomes a fault."""

    def __init__(self, name: str, step: Callable[[], None]) -> None:
        self.name = name
        self.state = WorkerState.STOPPED
        self.fault: str | None = None
        self._step = step
        self._thread: threading.Thread | None = None

    def start(self, told: threading.Event) -> None:
        """Start the thread; it ends once `told` is set."""
        self.state, self.fault = WorkerState.STARTING, None
        self._thread = threading.Thread(
            target=self._run, args=(told,), name=f"haustra-{self.name}", daemon=True
        )
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread; False if it still runs."""
        if self._thread is None:
            return True
        if self.state is not WorkerState.FAULTED and self._thread.is_alive():
            self.state = WorkerState.STOPPING
        self._thread.join(max(0.0, timeout_s))
        if self._thread.is_alive():
            self.state = WorkerState.FAULTED
            self.fault = f"The {self.name} thread did not stop. Close the program and try again."
            return False
        if self.state is not WorkerState.FAULTED:
            self.state = WorkerState.STOPPED
        self._thread = None
        return True

    def _run(self, told: threading.Event) -> None:
        self.state = WorkerState.RUNNING
        try:
            while not told.is_set():
                self._step()
        except HaustraError as error:
            self.fault = str(error)
        except Exception as error:  # noqa: BLE001  (top of a worker)
            _log.error("the %s worker stopped", self.name, exc_info=error)
            self.fault = f"The {self.name} thread failed: {error}. Open the source again."
        if self.fault is not None:
            self.state = WorkerState.FAULTED
