"""The way one would do it in an afternoon, to be compared with: one step after the other.

OpenCV reads the video, the whole frame is averaged down to the network's grid, the network runs in
float32 in one call, its mask is scaled up to the frame and blended in with numpy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.backends import InferenceBackend
from engine.benchmark.usage import Usage, UsageMeter
from engine.errors import SourceError
from engine.timing import Percentiles
from engine.types import Image

_COLOUR = np.array((92, 196, 255), np.float32)
_OPACITY = 0.25


@dataclass(frozen=True, slots=True)
class NaiveMeasurement:
    """What the naive way came to."""

    frames: int
    usage: Usage
    frame_ms: Percentiles
    """From read to painted."""

    @property
    def fps(self) -> float:
        """Pictures painted a second."""
        return self.frames / self.usage.elapsed_s


def measure_naive(
    path: Path, backend: InferenceBackend, size: int, threshold: float, frames: int
) -> NaiveMeasurement:
    """Run up to `frames` pictures of a video file through it.

    Args:
        backend: in float32, with the threads it takes by itself.
        size: edge of the network's grid.
        threshold: above which a probability is a fold.

    Raises:
        SourceError: OpenCV cannot read the file.
    """
    capture = cv2.VideoCapture(str(path))
    times_ms: list[float] = []
    meter = UsageMeter()
    try:
        while len(times_ms) < frames:
            started_s = time.monotonic()
            has_frame, picture = capture.read()
            if not has_frame:
                break
            paint_naively(np.asarray(picture, np.uint8), backend, size, threshold)
            times_ms.append((time.monotonic() - started_s) * 1e3)
    finally:
        capture.release()
    spread = Percentiles.of(times_ms)
    if spread is None:
        raise SourceError(f"OpenCV cannot read {path.name}.", "Compare on an H.264 file.")
    return NaiveMeasurement(len(times_ms), meter.read(), spread)


def paint_naively(
    picture: Image, backend: InferenceBackend, size: int, threshold: float
) -> NDArray[np.uint8]:
    """One (H, W, 3) BGR picture with its folds blended in, RGB."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    grid = cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA)
    probability = backend.infer(np.asarray(grid, np.uint8))[0]
    height, width = rgb.shape[:2]
    mask = cv2.resize(probability, (width, height), interpolation=cv2.INTER_LINEAR) > threshold
    weight = _OPACITY * mask[..., None].astype(np.float32)
    return np.asarray(rgb * (1 - weight) + _COLOUR * weight, np.uint8)
