"""One file of a recording with a bounded queue and a thread of its own."""

from __future__ import annotations

import logging
import threading
from typing import Any

from engine.errors import HaustraError
from engine.mailbox import Bounded
from engine.priority import step_back
from engine.recording.outputs import Output
from engine.recording.timeline import Found

_log = logging.getLogger(__name__)

_IDLE_S = 0.25


class Line:
    """Writes what it is offered to `output`, until told that this was all.

    Whatever `output` raises ends the line and is told as its `fault`.
    """

    def __init__(self, name: str, output: Output, capacity: int) -> None:
        self.name = name
        self.dropped = 0
        self.fault: str | None = None
        self._output = output
        self._queue: Bounded[Any] = Bounded(capacity)
        self._lock = threading.Lock()
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name=f"haustra-record-{name}")
        self._thread.daemon = True
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many items are queued."""
        return len(self._queue)

    def offer(self, item: Any) -> bool:
        """Queue `item`; where there is no room, or after the end, it is dropped. Never waits."""
        with self._lock:
            if not self._has_ended and self._queue.put(item, 0.0):
                return True
        self.dropped += not isinstance(item, Found)
        return False

    def end(self) -> None:
        """Finish once everything queued is written."""
        with self._lock:
            self._has_ended = True

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False where the disk does not take what it was given."""
        self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        step_back()
        try:
            while True:
                # Asked before looking: what was queued before the end is then still found.
                has_ended = self._has_ended
                item = self._queue.take(0.0 if has_ended else _IDLE_S)
                if item is not None:
                    self._output.write(item)
                elif has_ended:
                    break
                else:
                    self._output.idle()
            self._output.finish()
        except HaustraError as error:
            self.fault = str(error)
        except Exception as error:  # noqa: BLE001  (top of a worker)
            _log.error("recording %s stopped", self.name, exc_info=error)
            self.fault = f"Recording failed: {error}. What was recorded so far can be read."
        finally:
            self._output.abandon()
            self._queue.close()
