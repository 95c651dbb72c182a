"""One line on a terminal that says how far a job is and how long it still takes."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_REFRESH_S = 0.2


class Progress:
    """Counts frames; silent where the output is no terminal.

    Args:
        total: frames expected, None if nobody knows.
        out: the error output as it is now, unless told.
    """

    def __init__(self, total: int | None, out: TextIO | None = None) -> None:
        self._total = total
        self._out = out if out is not None else sys.stderr
        self._is_shown = self._out.isatty()
        self._started_s = time.monotonic()
        self._told_s = 0.0
        self._done = 0

    def advance(self) -> None:
        """One more frame is done."""
        self._done += 1
        now_s = time.monotonic()
        if self._is_shown and now_s - self._told_s >= _REFRESH_S:
            self._told_s = now_s
            self._out.write("\r\x1b[K" + describe(self._done, self._total, now_s - self._started_s))
            self._out.flush()

    def finish(self) -> None:
        """Clear the line."""
        if self._is_shown:
            self._out.write("\r\x1b[K")
            self._out.flush()


def describe(done: int, total: int | None, elapsed_s: float) -> str:
    """`120 of 480 frames, 25 %, 60 fps, 6 s left`."""
    rate_hz = done / elapsed_s if elapsed_s > 0 else 0.0
    if not total or done > total:
        return f"{done} frames, {rate_hz:.0f} fps"
    left_s = (total - done) / rate_hz if rate_hz > 0 else 0.0
    left = f"{left_s:.0f} s" if left_s < 100 else f"{left_s / 60:.0f} min"
    return f"{done} of {total} frames, {100 * done // total} %, {rate_hz:.0f} fps, {left} left"


def describe_build(fraction: float, left_s: float | None, phase: str) -> str:
    """`[######..............] 30 %, 12 s left, Optimizing graph`."""
    cells = round(20 * fraction)
    left = "" if left_s is None else f", {left_s:.0f} s left"
    doing = f", {phase}" if phase else ""
    return f"[{'#' * cells}{'.' * (20 - cells)}] {100 * fraction:.0f} %{left}{doing}"
