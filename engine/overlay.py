"""Fold outlines painted on a frame.

Colour means identity: a track keeps its colour. The cycle is Okabe and Ito's, brightened for a
red-brown background and without orange and vermillion, which are too close to mucosa.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FoldInstance, Image, Points

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (
    (92, 196, 255),  # sky blue
    (46, 224, 160),  # bluish green
    (250, 238, 84),  # yellow
    (240, 150, 214),  # reddish purple
    (255, 255, 255),  # white
)
UNTRACKED: Colour = (190, 196, 202)
EDGE: Colour = (16, 18, 22)
"""Of the dark line on either side of a stroke."""
_SHIFT = 4
_TOLERANCE_PX = 0.35
_BAND_PX = 96


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """How folds are painted."""

    opacity: float = 0.25
    """Of the fill, 0..1."""
    filled: bool = True
    stroke_px: float | None = None
    """Width of the coloured line; None chooses by the height of the picture (2 px up to 720)."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.opacity <= 1.0:
            raise ValueError(f"an opacity lies between 0 and 1, not {self.opacity}")
        if self.stroke_px is not None and not 0.0 < self.stroke_px <= 64.0:
            raise ValueError(f"a stroke is 0 to 64 px wide, not {self.stroke_px}")

    def width_px(self, height_px: int) -> int:
        """Width of the coloured line in a picture of that height, whole pixels."""
        if self.stroke_px is not None:
            return max(1, round(self.stroke_px))
        return max(2 if height_px >= 200 else 1, round(height_px / 360))


DEFAULT_STYLE = OverlayStyle()


def colour_of(track: int) -> Colour:
    """(r, g, b) of a track; grey for 0, which is not tracked."""
    return PALETTE[(track - 1) % len(PALETTE)] if track > 0 else UNTRACKED


def paint_overlay(
    image: Image, folds: Iterable[FoldInstance], style: OverlayStyle = DEFAULT_STYLE
) -> Image:
    """A copy of `image` (H, W, 3) with every fold filled and outlined.

    Pixels outside fills and strokes (a coloured line with a dark one-pixel edge) stay as they are.
    """
    painted = image.copy()
    drawable = [fold for fold in folds if len(fold.contour) >= 3]
    if style.filled and style.opacity > 0:
        for fold in drawable:
            _fill(painted, fold.outlines, colour_of(fold.track), style.opacity)
    width = style.width_px(image.shape[0])
    strokes = [[_stroke(line) for line in fold.outlines] for fold in drawable]
    for lines in strokes:
        # The coloured line smooths the inner side; smoothing the outer one costs as much again.
        cv2.polylines(painted, lines, True, EDGE, width + 2, cv2.LINE_8, _SHIFT)
    for lines, fold in zip(strokes, drawable, strict=True):
        cv2.polylines(painted, lines, True, colour_of(fold.track), width, cv2.LINE_AA, _SHIFT)
    return painted


def thinned(outline: Points) -> Points:
    """An (n, 2) outline without the points that change it by less than a third of a pixel."""
    kept = cv2.approxPolyDP(np.ascontiguousarray(outline, np.float32), _TOLERANCE_PX, True)
    return np.asarray(kept, np.float32).reshape(-1, 2)


def _stroke(outline: Points) -> NDArray[np.int32]:
    """An outline for OpenCV, in sixteenths of a pixel."""
    return np.round(thinned(outline) * (1 << _SHIFT)).astype(np.int32)


def _fill(painted: Image, outlines: tuple[Points, ...], colour: Colour, opacity: float) -> None:
    """Blend `colour` into what lies in an odd number of outlines, touching only its box.

    In bands: one stays in the processor's cache, and follows a slanting fold closely.
    """
    points = np.concatenate(outlines)
    size = painted.shape[1::-1]
    x0, y0 = np.maximum(np.floor(points.min(axis=0)).astype(int), 0)
    x1, y1 = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 1, size)
    if x0 >= x1 or y0 >= y1:
        return
    inside: NDArray[np.uint8] = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillPoly(inside, [np.round(line - (x0, y0)).astype(np.int32) for line in outlines], 255)
    layer = np.array([*(round(value * opacity) for value in colour), 0], np.float64)
    for top in range(0, y1 - y0, _BAND_PX):
        band = inside[top : top + _BAND_PX]
        x, y, width, height = cv2.boundingRect(band)
        if not width:
            continue
        rows, columns = slice(y0 + top + y, y0 + top + y + height), slice(x0 + x, x0 + x + width)
        box = painted[rows, columns]
        # Two passes of whole numbers take 0.4 of the time of a table for each colour.
        tinted = cv2.convertScaleAbs(box, alpha=1 - opacity)
        covered = band[y : y + height, x : x + width]
        cv2.copyTo(cv2.add(tinted, layer, dst=tinted), covered, box)
