"""How old the picture is when it reaches the screen, and how many reach it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from app import theme
from app.latency_log import LatencySummary
from app.widgets.backend_choice import BackendChoice
from app.widgets.overlay_panel import heading
from engine.types import PipelineStatus

_ROWS = ("Median", "99th percentile", "Pictures", "Analysed", "Dropped", "Age of folds")
_BINS = 120


class PerformancePanel(QWidget):
    """A plot of the last minute, six figures, and what computes. Refreshed a few times a second."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plot = pyqtgraph.PlotWidget(background=theme.PANEL)
        self._worst = self._plot.plot(pen=pyqtgraph.mkPen(theme.DIM, width=1), connect="finite")
        self._median = self._plot.plot(pen=pyqtgraph.mkPen(theme.ACCENT, width=2), connect="finite")
        self._plot.setToolTip("Median (blue) and slowest (grey) of every half second")
        self._values: dict[str, QLabel] = {}
        self._style_plot()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(heading("Decoded to painted, ms"))
        column.addWidget(self._plot, 1)
        column.addLayout(self._figures())
        self.backend = BackendChoice()
        column.addWidget(self.backend)
        self.set_status(None)
        self.set_age(None)
        self.set_latency((np.empty(0), np.empty(0)), LatencySummary(None, None, 0.0))

    def _style_plot(self) -> None:
        item = self._plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=False, y=False)
        item.setXRange(-60, 0, padding=0)
        item.setLimits(yMin=0)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(QColor(theme.EDGE))
            axis.setTextPen(QColor(theme.DIM))
            axis.setStyle(tickFont=theme.font(theme.SMALL_PT - 1), tickLength=-4)
        item.getAxis("left").setWidth(30)
        item.getAxis("bottom").setTicks([[(-45, "45 s ago"), (-15, "15 s ago")]])
        item.layout.setContentsMargins(0, 9, 4, 0)
        self._plot.setMinimumHeight(80)
        self._plot.setMaximumHeight(190)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for row, name in enumerate(_ROWS):
            value = QLabel(alignment=Qt.AlignmentFlag.AlignRight)
            grid.addWidget(_dim(name), row, 0)
            grid.addWidget(value, row, 1)
            self._values[name] = value
        return grid

    def set_latency(
        self,
        series: tuple[NDArray[np.float64], NDArray[np.float64]],
        summary: LatencySummary,
    ) -> None:
        """(n,) seconds before now and (n,) milliseconds, with their figures."""
        age, latency = series
        middles, median, worst = binned(age, latency)
        self._median.setData(middles, median)
        self._worst.setData(middles, worst)
        top = 50.0 if summary.p99_ms is None else max(50.0, 1.3 * summary.p99_ms)
        self._plot.getPlotItem().setYRange(0, 10 * np.ceil(top / 10), padding=0)
        self._values["Median"].setText(_number(summary.p50_ms, "ms"))
        self._values["99th percentile"].setText(_number(summary.p99_ms, "ms"))
        painted_hz = None if summary.p50_ms is None else summary.painted_hz
        self._values["Pictures"].setText(_number(painted_hz, "a second"))

    def set_status(self, status: PipelineStatus | None) -> None:
        """Counts of the pipeline, None while nothing is open. Without a model none are due."""
        if status is not None and len(status.workers) < 2:
            status = None
        self._values["Analysed"].setText(
            _number(None if status is None else status.analysed_hz, "a second")
        )
        dropped = "–" if status is None else f"{status.dropped} of {status.frames_in}"
        self._values["Dropped"].setText(dropped)

    def set_age(self, age_ms: float | None) -> None:
        """How much older the picture is in which the folds on screen were found."""
        self._values["Age of folds"].setText(_number(age_ms, "ms"))

    def texts(self) -> Mapping[str, str]:
        """Figures by name, as shown."""
        return {name: label.text() for name, label in self._values.items()}


def binned(
    age: NDArray[np.float64], latency: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Middle, median and maximum of each half second, (120,) each; NaN where nothing was painted.

    Args:
        age: (n,) seconds before now, -60..0, ascending.
        latency: (n,) milliseconds.
    """
    edges = np.linspace(-60.0, 0.0, _BINS + 1)
    median, worst = np.full(_BINS, np.nan), np.full(_BINS, np.nan)
    bounds = np.searchsorted(age, edges[:-1])
    for number, part in enumerate(np.split(latency, bounds)[1:]):
        if part.size:
            median[number], worst[number] = np.median(part), part.max()
    return (edges[:-1] + edges[1:]) / 2, median, worst


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("dim")
    return label


def _number(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}"
