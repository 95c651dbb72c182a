from __future__ import annotations

import threading

import pytest

from engine.timing import ManualClock, Percentiles, RateMeter, RollingLatency, SystemClock
from tests.fakes import WAIT_S


def test_a_manual_clock_moves_only_by_hand() -> None:
    clock = ManualClock(5.0)
    clock.advance(1.5)
    assert clock.now_s() == 6.5


def test_a_manual_clock_refuses_to_go_back() -> None:
    with pytest.raises(ValueError, match="backwards"):
        ManualClock().advance(-1)


def test_waiting_on_a_manual_clock_ends_when_its_time_comes() -> None:
    clock = ManualClock()
    waiter = threading.Thread(target=clock.wait, args=(threading.Event(), 10.0))
    waiter.start()
    while waiter.is_alive():
        clock.advance(10.0)
        waiter.join(0.01)
    assert not waiter.is_alive()


@pytest.mark.parametrize("clock", [ManualClock(), SystemClock()])
def test_waiting_ends_at_once_when_the_event_is_set(clock: ManualClock | SystemClock) -> None:
    event = threading.Event()
    event.set()
    assert clock.wait(event, WAIT_S)


def test_the_system_clock_waits_no_longer_than_told() -> None:
    assert not SystemClock().wait(threading.Event(), 0.0)


def test_percentiles_of_one_to_a_hundred() -> None:
    spread = Percentiles.of(range(1, 102))
    assert spread == Percentiles(
        mean=51, p50=51, p95=96, p99=100, p999=pytest.approx(100.9), max=101
    )


def test_no_values_have_no_percentiles() -> None:
    assert Percentiles.of([]) is None


def test_latency_forgets_what_left_its_window() -> None:
    latency = RollingLatency(window=2)
    for value_ms in (1000.0, 10.0, 10.0):
        latency.add(value_ms)
    spread = latency.percentiles()
    assert spread is not None
    assert spread.max == 10.0


def test_a_rate_counts_intervals() -> None:
    meter = RateMeter()
    for tick in range(6):
        meter.tick(tick * 0.02)
    assert meter.rate_hz() == pytest.approx(50.0)


def test_a_rate_needs_two_moments() -> None:
    meter = RateMeter()
    meter.tick(1.0)
    assert meter.rate_hz() is None


def test_a_cleared_meter_starts_again() -> None:
    meter = RateMeter()
    meter.tick(0.0)
    meter.tick(1.0)
    meter.clear()
    assert meter.rate_hz() is None
