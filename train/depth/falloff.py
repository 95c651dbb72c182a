"""`falloff`: no network. The lamp sits at the camera, so light falls off with distance squared.

A wall seen head-on returns light as 1/d², so d is as one over the root of its brightness. Tilt,
tissue, highlights and exposure are left out: what a depth network adds is what it does better.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from engine.errors import RecipeError
from train.losses.depth import DepthPrediction

_LUMINANCE = (0.2126, 0.7152, 0.0722)
_GAMMA = 2.2
_DARKEST = 1e-3
"""Of full scale: depth ends at 32 times that of a white wall."""


class FalloffEstimator:
    """Depth of unknown scale from brightness alone."""

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        """(B, 3, H, W) RGB in [-1, 1] → depth (B, H, W)."""
        linear = ((pictures + 1) / 2).clamp(0, 1) ** _GAMMA
        weights = torch.tensor(_LUMINANCE, device=pictures.device)[:, None, None]
        brightness = (linear * weights).sum(1)
        return DepthPrediction(brightness.clamp_min(_DARKEST).rsqrt(), is_inverse=False)


def open_falloff(weights: Path | None = None, short_side_px: int | None = None) -> FalloffEstimator:
    """The estimator, which takes pixels one by one, in pictures of any size.

    Raises:
        RecipeError: weights are named.
    """
    if weights is not None:
        raise RecipeError("`falloff` has no weights.", "Leave them out.")
    return FalloffEstimator()
