"""Which threads go first where processors are scarce."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

_NICE = 10


def step_back() -> None:
    """Let the threads go first that do not call this; on Linux, else nothing happens.

    Threads that the calling one starts later step back with it.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
