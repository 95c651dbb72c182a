"""How far a picture can be trusted to show what is in the colon, 0..1, from the picture alone.

Blur, a lens against the wall, water, foam, tools, darkness, glare and whatever is no colon leave
signs: what is fine is gone, colours are all alike or those of a room, light fails. Each sign is one
equation below; a logistic model weighs them and their squares, for most signs are bad on both sides
of what is usual. `haustra-train trust` fits its constants and says how well they tell pictures
apart.

The network's probabilities are not used: so the constants hold for every bundle, and trust says
nothing that the network could have made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
_TO_GREEN = np.array([[1, -1, 0], [0, -1, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """Where the field of view is on the grid, away from its rim; made once for many pictures."""

    whole: NDArray[np.uint8]
    """(size, size), 255 inside."""
    small: NDArray[np.uint8]
    """(64, 64), 255 inside."""

    @classmethod
    def of(cls, inside: NDArray[np.uint8]) -> View:
        """From a (size, size) map that is not 0 inside."""
        # The black beyond a rim is no edge of the picture, not even at the border of the grid.
        framed = cv2.copyMakeBorder(inside, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        margin = 2 * (inside.shape[0] // 32) + 1
        kernel = np.ones((margin, margin), np.uint8)
        whole = _full(cv2.erode(framed, kernel)[1:-1, 1:-1] > 0)
        small = cv2.resize(whole, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
        return cls(whole, _full(small == 255))


def _full(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.asarray(inside * np.uint8(255))


def measure_signs(grid: Image, view: View) -> Signs | None:
    """What a (size, size, 3) RGB picture shows of itself; None where hardly anything is in view."""
    count = cv2.countNonZero(view.small)
    if count < _SMALL:
        return None
    grey = np.asarray(cv2.cvtColor(grid, cv2.COLOR_RGB2GRAY), np.uint8)
    small = cv2.resize(grid, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    little = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    fine, coarse = roughness(grey, view.whole), roughness(little, view.small)
    (brightness,), (deviation,) = _spread(little, view.small)
    colours, spreads = _spread(cv2.transform(cv2.LUT(small, _LOGARITHM), _TO_GREEN), view.small)
    seen = little[view.small > 0]
    return np.array(
        [
            np.log(fine / coarse),
            np.log(coarse),
            np.log(fine),
            brightness / 255,
            np.log1p(deviation),
            np.count_nonzero(seen > _BRIGHT) / count,
            np.count_nonzero(seen < _DARK) / count,
            *colours,
            *spreads,
        ],
        np.float64,
    )


def roughness(grey: NDArray[np.uint8], inside: NDArray[np.uint8]) -> float:
    """1 + the variance of the Laplacian where `inside` is not 0 (Pech-Pacheco et al. 2000)."""
    _, (deviation,) = _spread(cv2.Laplacian(grey, cv2.CV_16S), inside)
    return 1.0 + deviation**2


def _spread(planes: NDArray[Any], inside: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel where `inside` is not 0."""
    mean, deviation = cv2.meanStdDev(planes, mask=inside)
    return mean.ravel().tolist(), deviation.ravel().tolist()


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
        -1.0117, 6.1478, 5.136, 0.4357, 3.7051, 0.0084, 0.0132, 0.5134, -0.3178, 0.1827, 0.1303,
    ),
    spread=(
        0.9901, 0.7435, 1.3073, 0.0859, 0.3155, 0.0276, 0.033, 0.2065, 0.2042, 0.1347, 0.1065,
    ),
    linear=(
        0.2901, -0.3493, 0.0211, -0.8505, 1.0867, -0.5377, 0.234, 1.1217, -0.466, -0.5034,
        -0.8616,
    ),
    square=(
        -0.0417, -0.6929, -0.2057, -0.1602, 0.1996, 0.15, -0.0862, -0.1018, -0.0454, 0.0593,
        0.0058,
    ),
    bias=3.9224,
)  # fmt: skip
"""From `haustra-train trust SET --real DATA -o OUT` (docs/experiments.md)."""
