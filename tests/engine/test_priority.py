"""Only Linux knows priorities of single threads."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from engine.priority import step_back

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="threads have no priority of their own here"
)


def priority_after(action: Callable[[], None]) -> int:
    found: list[int] = []

    def run() -> None:
        action()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_who_steps_back_goes_after_the_others() -> None:
    assert priority_after(step_back) > priority_after(lambda: None)


def test_the_thread_that_started_it_keeps_its_priority() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    priority_after(step_back)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
