"""Tests run without a display unless there is one: `xvfb-run -a pytest` uses a real window.

What Haustra keeps between two starts goes into a folder of this run, never the user's own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="haustra-tests-") as folder:
        previous = os.environ.get("HAUSTRA_CACHE")
        os.environ["HAUSTRA_CACHE"] = folder
        yield
        if previous is None:
            del os.environ["HAUSTRA_CACHE"]
        else:
            os.environ["HAUSTRA_CACHE"] = previous
