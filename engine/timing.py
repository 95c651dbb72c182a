"""Time as an argument, and figures over the last moments: latency and rate.

Worker code asks a `Clock` instead of the operating system, so that tests move time by hand.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Clock(Protocol):
    """A monotonic clock one can wait on."""

    def now_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` have passed; True if the event is set."""
        ...


class SystemClock:
    """The computer's monotonic clock."""

    def now_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` have passed; True if the event is set."""
        return event.wait(max(0.0, timeout_s))


class ManualClock:
    """A clock that stands still until `advance` is called. For tests."""

    def __init__(self, start_s: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._now_s = start_s

    def now_s(self) -> float:
        """Seconds since an arbitrary moment; never goes back."""
        with self._lock:
            return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass for everybody who waits."""
        if seconds < 0:
            raise ValueError(f"time does not run backwards ({seconds} s)")
        with self._lock:
            self._now_s += seconds

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or this clock was advanced by `timeout_s`."""
        deadline_s = self.now_s() + timeout_s
        # The event cannot tell this clock that it was set, so it is looked at every millisecond.
        while not event.is_set() and self.now_s() < deadline_s:
            event.wait(0.001)
        return event.is_set()


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How a duration spreads, milliseconds."""

    mean: float
    p50: float
    p95: float
    p99: float
    p999: float
    max: float

    @classmethod
    def of(cls, values_ms: Iterable[float]) -> Percentiles | None:
        """Percentiles of `values_ms` (linear interpolation), None if there are none."""
        values = np.fromiter(values_ms, np.float64)
        if values.size == 0:
            return None
        p50, p95, p99, p999 = map(float, np.percentile(values, (50, 95, 99, 99.9)))
        return cls(float(values.mean()), p50, p95, p99, p999, float(values.max()))


class RollingLatency:
    """The spread of the last `window` durations. Any thread may add or ask."""

    def __init__(self, window: int = 256) -> None:
        self._lock = threading.Lock()
        self._values_ms: deque[float] = deque(maxlen=window)
        self._known: Percentiles | None = None

    def add(self, value_ms: float) -> None:
        """Note one duration, milliseconds."""
        with self._lock:
            self._values_ms.append(value_ms)
            self._known = None

    def values(self) -> tuple[float, ...]:
        """The durations themselves, oldest first."""
        with self._lock:
            return tuple(self._values_ms)

    def percentiles(self) -> Percentiles | None:
        """The spread, or None before the first duration; reckoned once for every new one."""
        with self._lock:
            if self._known is None:
                self._known = Percentiles.of(self._values_ms)
            return self._known

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values_ms.clear()
            self._known = None


class RateMeter:
    """How often something happened per second, over the last `window` times it did."""

    def __init__(self, window: int = 64) -> None:
        self._lock = threading.Lock()
        self._times_s: deque[float] = deque(maxlen=max(2, window))

    def tick(self, now_s: float) -> None:
        """It happened now."""
        with self._lock:
            self._times_s.append(now_s)

    def rate_hz(self) -> float | None:
        """Times per second, or None while it happened less than twice."""
        with self._lock:
            if len(self._times_s) < 2:
                return None
            span_s = self._times_s[-1] - self._times_s[0]
            return (len(self._times_s) - 1) / span_s if span_s > 0 else None

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._times_s.clear()
