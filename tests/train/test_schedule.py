from __future__ import annotations

import pytest

from train.recipe import BudgetSettings, OptimiserSettings, RealSettings
from train.schedule import Progress, averaging_decay, learning_rate, real_ramp

OPTIMISER = OptimiserSettings(learning_rate=1.0, warm_up=0.1)
REAL = RealSettings(start=0.5, ramp=0.2)


def test_a_run_by_the_clock_ends_when_told() -> None:
    assert Progress(3, 60.0, BudgetSettings(minutes=2)).fraction == 0.5


def test_a_run_by_steps_ignores_the_clock() -> None:
    assert Progress(3, 9999.0, BudgetSettings(steps=6)).fraction == 0.5


def test_time_left_by_steps_follows_the_pace() -> None:
    assert Progress(2, 10.0, BudgetSettings(steps=6)).left_s == 20.0


@pytest.mark.parametrize(("fraction", "rate"), [(0.05, 0.5), (0.1, 1.0), (0.55, 0.505), (1, 0.01)])
def test_the_learning_rate_warms_up_and_cools_down(fraction: float, rate: float) -> None:
    assert learning_rate(fraction, OPTIMISER) == pytest.approx(rate)


@pytest.mark.parametrize(("fraction", "ramp"), [(0.49, 0.0), (0.5, 0.05), (0.6, 0.55), (0.9, 1.0)])
def test_real_frames_join_slowly(fraction: float, ramp: float) -> None:
    assert real_ramp(fraction, REAL) == pytest.approx(ramp)


def test_real_frames_stay_out_when_switched_off() -> None:
    assert real_ramp(0.9, RealSettings(use=False)) == 0.0


@pytest.mark.parametrize(("step", "decay"), [(0, 0.1), (10, 0.55), (100_000, 0.99)])
def test_the_average_remembers_longer_as_it_grows(step: int, decay: float) -> None:
    assert averaging_decay(step, 0.99) == pytest.approx(decay)
