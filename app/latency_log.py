"""How old each picture was when it reached the screen: the last minute of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CAPACITY = 8192
_RATE_WINDOW_S = 2.0


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Figures over the window; None where nothing has been painted."""

    p50_ms: float | None
    p99_ms: float | None
    painted_hz: float
    """Over the last two seconds."""


class LatencyLog:
    """A ring of (painted_s, latency_ms), oldest overwritten. For one thread."""

    def __init__(self, window_s: float = 60.0) -> None:
        self.window_s = window_s
        self._painted_s = np.full(_CAPACITY, -np.inf)
        self._latency_ms = np.zeros(_CAPACITY)
        self._next = 0

    def add(self, captured_s: float, painted_s: float) -> None:
        """Note that a picture captured then was painted now (monotonic clock)."""
        self._painted_s[self._next] = painted_s
        self._latency_ms[self._next] = (painted_s - captured_s) * 1000.0
        self._next = (self._next + 1) % _CAPACITY

    def clear(self) -> None:
        """Forget everything, as when another source is opened."""
        self._painted_s.fill(-np.inf)
        self._next = 0

    def series(self, now_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) seconds before now (negative) and (n,) milliseconds, oldest first."""
        order = np.roll(np.arange(_CAPACITY), -self._next)
        age = self._painted_s[order] - now_s
        recent = age >= -self.window_s
        return age[recent], self._latency_ms[order][recent]

    def summary(self, now_s: float) -> LatencySummary:
        """Median, 99th percentile and pictures per second."""
        age, latency = self.series(now_s)
        if not latency.size:
            return LatencySummary(None, None, 0.0)
        p50, p99 = np.percentile(latency, (50, 99))
        rate = float(np.count_nonzero(age >= -_RATE_WINDOW_S)) / _RATE_WINDOW_S
        return LatencySummary(float(p50), float(p99), rate)
