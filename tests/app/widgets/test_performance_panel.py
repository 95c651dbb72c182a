from __future__ import annotations

from types import MappingProxyType

import numpy as np
from pytestqt.qtbot import QtBot

from app.latency_log import LatencySummary
from app.widgets.performance_panel import PerformancePanel, binned
from engine.types import PipelineStatus, WorkerState

_BOTH = MappingProxyType({"decode": WorkerState.RUNNING, "analyse": WorkerState.RUNNING})


def test_a_half_second_is_drawn_by_its_median_and_its_slowest() -> None:
    age, latency = np.array([-0.4, -0.3, -0.2]), np.array([10.0, 30.0, 11.0])
    _, median, worst = binned(age, latency)
    assert (median[-1], worst[-1]) == (11.0, 30.0)


def test_a_half_second_without_pictures_is_a_gap() -> None:
    _, median, _ = binned(np.array([-0.4]), np.array([10.0]))
    assert np.isnan(median[:-1]).all()


def test_figures_are_shown_with_their_units(qtbot: QtBot) -> None:
    panel = PerformancePanel()
    qtbot.addWidget(panel)
    panel.set_latency((np.array([-1.0]), np.array([18.0])), LatencySummary(18.0, 24.04, 49.9))
    panel.set_status(PipelineStatus(_BOTH, frames_in=200, dropped=3, analysed_hz=49.5))
    panel.set_age(40.0)
    assert dict(panel.texts()) == {
        "Median": "18.0 ms",
        "99th percentile": "24.0 ms",
        "Pictures": "49.9 a second",
        "Analysed": "49.5 a second",
        "Dropped": "3 of 200",
        "Age of folds": "40.0 ms",
    }


def test_without_a_model_nothing_counts_as_dropped(qtbot: QtBot) -> None:
    panel = PerformancePanel()
    qtbot.addWidget(panel)
    workers = MappingProxyType({"decode": WorkerState.RUNNING})
    panel.set_status(PipelineStatus(workers, frames_in=200, dropped=199))
    assert panel.texts()["Dropped"] == "–"


def test_without_a_source_there_are_no_figures(qtbot: QtBot) -> None:
    panel = PerformancePanel()
    qtbot.addWidget(panel)
    assert panel.texts()["Median"] == "–"
