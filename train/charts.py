"""Line charts as pictures, drawn with OpenCV: enough to read a spectrum or a histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_INK, _GRID = (40, 40, 40), (225, 225, 225)
_COLOURS = (
    (0, 114, 178), (213, 94, 0), (0, 0, 0), (0, 158, 115),
    (204, 121, 167), (86, 180, 233), (230, 159, 0), (150, 150, 150),
)  # fmt: skip
"""Okabe & Ito 2008, told apart by colour-blind readers too; grey instead of their yellow."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True, slots=True)
class Axes:
    """Titles, the plotted range, and where the axes are marked."""

    title: str
    x_title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_marks: Sequence[tuple[float, str]]
    y_marks: Sequence[tuple[float, str]]

    def pixels(self, x: Floats, y: Floats) -> NDArray[np.float64]:
        """(n, 2) xy on the chart."""
        across = (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0])
        up = (np.asarray(y) - self.y[0]) / (self.y[1] - self.y[0])
        return np.stack(
            [
                _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
                _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM),
            ],
            axis=-1,
        )


def marks_for(low: float, high: float, count: int = 5) -> list[tuple[float, str]]:
    """Evenly spaced marks with their values."""
    return [(float(value), f"{value:.3g}") for value in np.linspace(low, high, count)]


def line_chart(axes: Axes, curves: Mapping[str, tuple[Floats, Floats]]) -> Image:
    """(H, W, 3) RGB: one line a curve, named in the upper right corner.

    Args:
        axes: range and titles.
        curves: name → x (n,), y (n,); what lies outside the range is cut off.
    """
    chart = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    _draw_axes(chart, axes)
    for number, (name, (x, y)) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = axes.pixels(x, np.clip(y, *axes.y))
        shifted = np.round(points * 16).astype(np.int32)
        cv2.polylines(chart, [shifted], False, colour, 2, cv2.LINE_AA, 4)
        at = (_WIDTH - 230, _TOP + 22 + 20 * number)
        cv2.line(chart, (at[0] - 30, at[1] - 4), (at[0] - 8, at[1] - 4), colour, 2, cv2.LINE_AA)
        _write(chart, name, at)
    return chart


def _draw_axes(chart: Image, axes: Axes) -> None:
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    for value, text in axes.x_marks:
        column = round(float(axes.pixels(np.array(value), np.array(axes.y[0]))[0]))
        cv2.line(chart, (column, _TOP), (column, bottom), _GRID, 1)
        _write(chart, text, (column - 12, bottom + 18))
    for value, text in axes.y_marks:
        row = round(float(axes.pixels(np.array(axes.x[0]), np.array(value))[1]))
        cv2.line(chart, (_LEFT, row), (right, row), _GRID, 1)
        _write(chart, text, (8, row + 4))
    cv2.rectangle(chart, (_LEFT, _TOP), (right, bottom), _INK, 1)
    _write(chart, axes.title, (_LEFT, _TOP - 14), 0.5)
    _write(chart, axes.x_title, (_LEFT, _HEIGHT - 12))


def _write(chart: Image, text: str, at: tuple[int, int], scale: float = 0.42) -> None:
    cv2.putText(chart, text, at, _FONT, scale, _INK, 1, cv2.LINE_AA)


def stacked(charts: Sequence[Image]) -> Image:
    """Charts of one size below each other."""
    return np.concatenate(list(charts))
