"""Vessels under the mucosa: seamless trees, fine ones near the surface and broad ones below."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_STEP_PX = 5.0
_SUBPIXEL_BITS = 3


@dataclass(frozen=True, slots=True)
class VesselKind:
    """How the trees of one layer grow. Widths in pixels of the tile."""

    trees: tuple[int, int]
    """At least, and fewer than."""
    width: tuple[float, float]
    """Of a trunk."""
    branchings: int
    """Generations below the trunk."""
    winding: float
    """Spread (rad) of the turn at each step."""
    blur_px: float
    """What lies deeper is seen less sharply."""


FINE = VesselKind((55, 90), (1.2, 2.4), 3, 0.30, 0.6)
BROAD = VesselKind((5, 12), (3.5, 7.0), 3, 0.16, 2.0)


def vessel_layer(rng: np.random.Generator, size: int, kind: VesselKind) -> NDArray[np.float32]:
    """Seamless (size, size), 0 beside vessels to 1 in the middle of a thick one."""
    canvas = np.zeros((3 * size, 3 * size), np.uint8)
    for _ in range(int(rng.integers(*kind.trees))):
        start = rng.uniform(size, 2 * size, 2)
        width = rng.uniform(*kind.width)
        _grow(canvas, rng, kind, (start, rng.uniform(0, 2 * np.pi), width, kind.branchings))
    folded = canvas.reshape(3, size, 3, size).max(axis=(0, 2))
    tiled = cv2.copyMakeBorder(folded, 8, 8, 8, 8, cv2.BORDER_WRAP)
    return np.asarray(cv2.GaussianBlur(tiled, (0, 0), kind.blur_px)[8:-8, 8:-8] / 255, np.float32)


def _grow(
    canvas: NDArray[np.uint8],
    rng: np.random.Generator,
    kind: VesselKind,
    branch: tuple[NDArray[np.float64], float, float, int],
) -> None:
    """Draw one branch (where, heading, width, generations left) and what grows from its end."""
    at, heading, width, generations = branch
    headings = heading + np.cumsum(rng.normal(0, kind.winding, int(rng.integers(8, 24))))
    steps = _STEP_PX * np.stack([np.cos(headings), np.sin(headings)], axis=1)
    points = np.vstack([at, at + np.cumsum(steps, axis=0)])
    line = np.round(points * 2**_SUBPIXEL_BITS).astype(np.int32)
    shade = int(np.clip(90 + 55 * width, 60, 255))
    thickness = max(1, round(width))
    cv2.polylines(canvas, [line], False, shade, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    if generations > 0:
        for turn in (rng.uniform(0.25, 0.9), -rng.uniform(0.25, 0.9)):
            thinner = width * rng.uniform(0.55, 0.85)
            _grow(canvas, rng, kind, (points[-1], headings[-1] + turn, thinner, generations - 1))
