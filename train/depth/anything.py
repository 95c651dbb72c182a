"""`depth-anything`: Depth Anything V1 or V2, as the weights say."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from train.depth.pictures import back_to, grid_size, resized
from train.depth.public import needed
from train.losses.depth import DepthPrediction
from train.networks.depth_anything import SIZES, DepthAnything
from train.networks.dinov2 import PATCH
from train.weights import fill, read_weights

KIND = "depth-anything"
LARGEST_SIDE_PX = 518
"""As trained. Larger pictures are made smaller; small ones stay, for the sake of time."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, of RGB in [0, 1]."""


class DepthAnythingEstimator(nn.Module):
    """Frozen; gradients flow through it to the picture."""

    def __init__(self, network: DepthAnything, short_side_px: int | None = None) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self._short_side_px = short_side_px

    def forward(self, pictures: Tensor) -> DepthPrediction:
        """(B, 3, H, W) RGB in [-1, 1] → inverse depth (B, H, W), scale and shift unknown."""
        self.to(pictures.device)
        height, width = pictures.shape[-2:]
        short = self._short_side_px or min(height, width, LARGEST_SIDE_PX)
        size = grid_size(height, width, short, PATCH)
        mean, deviation = (
            torch.tensor(each, device=pictures.device)[:, None, None]
            for each in (_MEAN, _DEVIATION)
        )
        normalised = ((resized(pictures, size) + 1) / 2 - mean) / deviation
        inverse = self.network(normalised)
        return DepthPrediction(back_to(inverse, height, width), is_inverse=True)


def open_depth_anything(
    weights: Path | None = None, short_side_px: int | None = None
) -> DepthAnythingEstimator:
    """The estimator with imported weights, which know their size and version.

    Raises:
        RecipeError: none are named, or they are of another network.
    """
    path = needed(weights, KIND, "depth_anything_vits14.pth --version v1")
    state, about = read_weights(path, KIND)
    network = DepthAnything(SIZES[about["size"]], about["version"])
    fill(network, state, str(path))
    return DepthAnythingEstimator(network, short_side_px)
