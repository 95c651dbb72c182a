"""Tests run without a display unless there is one: `xvfb-run -a pytest` uses a real window."""

from __future__ import annotations

import os

if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
