from __future__ import annotations

import pytest

from app.latency_log import LatencyLog


def test_an_empty_log_has_no_figures() -> None:
    summary = LatencyLog().summary(100.0)
    assert (summary.p50_ms, summary.p99_ms, summary.painted_hz) == (None, None, 0.0)


def test_latency_is_the_time_from_captured_to_painted_in_milliseconds() -> None:
    log = LatencyLog()
    log.add(captured_s=10.0, painted_s=10.018)
    assert log.summary(11.0).p50_ms == pytest.approx(18.0)


def test_the_rate_counts_the_last_two_seconds() -> None:
    log = LatencyLog()
    for number in range(500):
        log.add(number / 50, number / 50)
    assert log.summary(499 / 50).painted_hz == pytest.approx(50.0, abs=0.6)


def test_pictures_older_than_the_window_are_left_out() -> None:
    log = LatencyLog(window_s=60.0)
    log.add(0.0, 1.0)
    log.add(99.99, 100.0)
    assert log.summary(100.0).p99_ms == pytest.approx(10.0)


def test_a_full_ring_keeps_the_newest_in_order() -> None:
    log = LatencyLog(window_s=1e9)
    for number in range(10_000):
        log.add(number, number + 0.001 * number)
    age, latency = log.series(20_000.0)
    assert (age[1:] > age[:-1]).all()
    assert latency[-1] == pytest.approx(9999.0)


def test_a_cleared_log_is_empty() -> None:
    log = LatencyLog()
    log.add(0.0, 1.0)
    log.clear()
    assert log.series(1.0)[0].size == 0
