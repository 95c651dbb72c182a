"""How far a picture can be trusted to show what is in the colon, 0..1, from the picture alone.

Blur, a lens against the wall, water, foam, tools, darkness, glare and whatever is no colon leave
signs: what is fine is gone, colours are all alike or those of a room, light fails. Each sign is one
equation below; a logistic model weighs them and their squares, for most signs are bad on both sides
of what is usual. `haustra-train trust` fits its constants and says how well they tell pictures
apart.

The network's own probabilities are no sign: they say what it believes, and it believes firmly in
blurred pictures, too (docs/experiments.md, 2026-11-24).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image

Signs = NDArray[np.float64]
"""(len(NAMES),)"""

NAMES = (
    "fineness", "structure", "detail", "brightness", "evenness", "glare", "darkness",
    "red over green", "blue over green", "spread of red", "spread of blue",
)  # fmt: skip
FARTHEST = 6.0
"""Spreads from the usual beyond which a sign is not counted further."""
_SMALL = 64
_BRIGHT, _DARK = 235, 20
_LOGARITHM = np.log1p(np.arange(256, dtype=np.float32))


@dataclass(frozen=True, slots=True)
class View:
    """Where the field of view is on the grid, away from its rim; made once for many pictures."""

    whole: NDArray[np.uint8]
    """(size, size), 255 inside."""
    small: NDArray[np.bool_]
    """(64, 64), True inside."""

    @classmethod
    def of(cls, inside: NDArray[np.uint8]) -> View:
        """From a (size, size) map that is not 0 inside."""
        whole = np.zeros_like(inside)
        # The black beyond a rim is no edge of the picture, not even at the border of the grid.
        framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        margin = 2 * (inside.shape[0] // 32) + 1
        kernel = np.ones((margin, margin), np.uint8)
        whole[...] = (cv2.erode(framed, kernel)[1:-1, 1:-1] > 0) * np.uint8(255)
        small = cv2.resize(whole, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA) == 255
        return cls(whole, np.asarray(small))


def measure_signs(grid: Image, view: View) -> Signs | None:
    """What a (size, size, 3) RGB picture shows of itself; None where hardly anything is in view."""
    if view.small.sum() < _SMALL:
        return None
    grey = np.asarray(cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY), np.uint8)
    small = cv2.resize(grid, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    little = np.asarray(cv2.resize(grey, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA), np.uint8)
    seen = little[view.small].astype(np.float32)
    red, green, blue = _LOGARITHM[small[view.small]].T
    fine = roughness(grey, view.whole)
    coarse = roughness(little, view.small.view(np.uint8))
    to_green = (red - green, blue - green)
    return np.array(
        [
            np.log(fine / coarse),
            np.log(coarse),
            np.log(fine),
            seen.mean() / 255,
            np.log1p(seen.std()),
            (seen > _BRIGHT).mean(),
            (seen < _DARK).mean(),
            *(each.mean() for each in to_green),
            *(each.std() for each in to_green),
        ],
        np.float64,
    )


def roughness(grey: NDArray[np.uint8], inside: NDArray[np.uint8]) -> float:
    """1 + the variance of the Laplacian where `inside` is not 0 (Pech-Pacheco et al. 2000)."""
    laplacian = cv2.Laplacian(grey, cv2.CV_16S)
    _, deviation = cv2.meanStdDev(laplacian, mask=inside)
    return 1.0 + float(deviation[0, 0]) ** 2


@dataclass(frozen=True, slots=True)
class TrustModel:
    """sigmoid(bias + Σ linear · x + square · x²), x a sign's distance from what is usual."""

    usual: tuple[float, ...]
    """Mean of each sign in good pictures."""
    spread: tuple[float, ...]
    """And its deviation, the unit of x."""
    linear: tuple[float, ...]
    square: tuple[float, ...]
    bias: float

    def trust(self, signs: Signs) -> float:
        """0..1 from the signs of one picture."""
        away = np.clip((signs - self.usual) / self.spread, -FARTHEST, FARTHEST)
        score = self.bias + away @ self.linear + away**2 @ self.square
        return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))


TRUST = TrustModel(
    usual=(
        -0.5667, 6.3277, 5.761, 0.4667, 3.8021, 0.0091, 0.0108, 0.5487, -0.3544, 0.1958, 0.1364,
    ),
    spread=(
        0.7184, 0.5951, 0.7982, 0.0685, 0.2498, 0.0218, 0.0312, 0.1764, 0.2132, 0.1427, 0.1095,
    ),
    linear=(
        0.6345, -0.884, -0.0877, -0.9098, 1.2187, -0.0348, 0.1967, 1.7475, -0.969, -0.2494,
        -1.145,
    ),
    square=(
        0.0521, -0.6048, -0.3658, -0.1303, 0.0548, 0.0506, -0.0638, 0.1499, 0.07, 0.0762, -0.2655,
    ),
    bias=5.9015,
)  # fmt: skip
"""From `haustra-train trust SET --real DATA --count 150 -o OUT` (docs/experiments.md)."""
