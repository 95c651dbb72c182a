"""The plain style: a matt wall of one colour, lit from the tip. Fast, and random in nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.simulate.appearance import Rendering
from train.simulate.dataset import GeometryFrame

_COLOUR = np.array([0.86, 0.52, 0.44], np.float32)
_GAMMA = 2.2
_NEAREST_MM = 2.0


@dataclass(frozen=True, slots=True)
class PlainLook:
    """Lambert's cosine over the square of the distance."""

    def render(self, frame: GeometryFrame, rng: np.random.Generator) -> Rendering:
        """Exposed so that two pixels in a hundred are white."""
        facing = np.clip(-np.einsum("ijk,ijk->ij", frame.normal, frame.rays), 0, 1)
        light = facing / np.maximum(frame.depth_mm, _NEAREST_MM) ** 2
        light /= np.quantile(light[frame.valid], 0.98) if frame.valid.any() else 1.0
        picture = np.clip(light[..., None], 0, 1) ** (1 / _GAMMA) * _COLOUR
        image = (picture * frame.valid[..., None] * 255 + 0.5).astype(np.uint8)
        return Rendering(image, frame.fold, frame.edge, frame.valid, frame.polyp)


def draw_plain(rng: np.random.Generator) -> PlainLook:
    """The one plain look."""
    return PlainLook()
