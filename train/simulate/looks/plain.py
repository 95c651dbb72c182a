"""The plain style: a matt wall of one colour, lit from the tip. Fast, and random in nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.simulate.appearance import Rendering
from train.simulate.dataset import GeometryFrame

_COLOUR = np.array([0.86, 0.52, 0.44], np.float32)
_GAMMA = 2.2
_NEAREST_MM = 2.0
_TONES = np.round(255 * np.linspace(0, 1, 4096)[:, None] ** (2 / _GAMMA) * _COLOUR).astype(np.uint8)
"""RGB by the root of the light, which is spaced nearly as the eye sees."""


@dataclass(frozen=True, slots=True)
class PlainLook:
    """Lambert's cosine over the square of the distance."""

    def render(self, frame: GeometryFrame, rng: np.random.Generator) -> Rendering:
        """Exposed so that two pixels in a hundred are white."""
        facing = np.clip(-np.einsum("ijk,ijk->ij", frame.normal, frame.rays), 0, 1)
        light = facing / np.maximum(frame.depth_mm, _NEAREST_MM) ** 2
        light /= np.quantile(light[frame.valid], 0.98) if frame.valid.any() else 1.0
        level = np.sqrt(np.clip(light, 0, 1)) * (len(_TONES) - 1) * frame.valid
        image = _TONES[level.astype(np.uint16)]
        return Rendering(image, frame.fold, frame.edge, frame.valid, frame.polyp)


def draw_plain(rng: np.random.Generator) -> PlainLook:
    """The one plain look."""
    return PlainLook()
