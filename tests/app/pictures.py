"""Frames, analyses and screen pixels for the window's tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, cast

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from engine.analyser import Analyser
from engine.preprocess import Placement
from engine.types import (
    Analysis,
    FoldInstance,
    FoldMask,
    Frame,
    Image,
    TrackedFolds,
    read_only,
)

PATIENCE_MS = 30_000
"""How long to wait for what must happen; a busy machine is no failure."""


def noise_frame(width: int = 320, height: int = 240, index: int = 0) -> Frame:
    """A frame in which every pixel differs from its neighbours."""
    image = np.random.default_rng(index).integers(0, 256, (height, width, 3), np.uint8)
    return Frame(index, index / 50, 0.0, read_only(image))


def square(track: int, low: float, high: float) -> FoldInstance:
    """A square fold from (low, low) to (high, high), in frame pixels."""
    corners = np.array([(low, low), (high, low), (high, high), (low, high)], np.float32)
    return FoldInstance(track, track, corners, (high - low) ** 2, 0.9)


def analysis_of(frame: Frame, *folds: FoldInstance) -> Analysis:
    """An analysis of `frame` that found `folds`."""
    grid = read_only(np.zeros((8, 8), np.float32))
    height, width = frame.image.shape[:2]
    mask = FoldMask(frame, grid, grid, Placement.fit((0, 0, width, height), 8))
    return Analysis(frame, mask, folds)


def pixels(widget: QWidget) -> Image:
    """(H, W, 3) what the widget paints."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


class SquareFinder:
    """Stands where the analyser does: finds one square in every frame, and nothing is learnt."""

    name = "analyse"
    description = "square finder"
    choice = "the only one"
    note: str | None = None
    provenance: ClassVar[dict[str, str]] = {"name": "square finder"}
    is_closed = False

    def __init__(self) -> None:
        self.stages = (self,)
        self.asked_for: list[str] = []
        """Back ends."""

    def __call__(self, frame: Frame) -> Analysis:
        return analysis_of(frame, square(1, 40, 90))

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """It knows nothing of motion."""
        return None

    def change_backend(self, name: str) -> None:
        """It computes nothing, but knows what was asked for."""
        self.asked_for.append(name)

    def reset(self) -> None:
        """It remembers nothing."""

    def close(self) -> None:
        """It holds nothing."""
        self.is_closed = True


def find_square() -> Analyser:
    """Opens a `SquareFinder` where an analyser is opened."""
    return cast(Analyser, SquareFinder())


def until(is_so: Callable[[], bool], timeout_s: float = PATIENCE_MS / 1000) -> bool:
    """Look again and again until `is_so`; whether it came true in time."""
    give_up_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.002)
    return True
