"""`dispresnet`: SC-SfMLearner, which the paper trained on simulated colons."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from train.depth.pictures import back_to, grid_size, resized
from train.depth.public import needed
from train.losses.depth import DepthPrediction
from train.networks.dispresnet import STRIDE, DispResNet
from train.weights import fill, read_weights

KIND = "dispresnet"
_MEAN, _DEVIATION = 0.45, 0.225


class DispResNetEstimator(nn.Module):
    """Frozen; gradients flow through it to the picture."""

    def __init__(self, network: DispResNet, short_side_px: int | None = None) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self._short_side_px = short_side_px

    def forward(self, pictures: Tensor) -> DepthPrediction:
        """(B, 3, H, W) RGB in [-1, 1] → disparity (B, H, W); its scale is anybody's guess."""
        self.to(pictures.device)
        height, width = pictures.shape[-2:]
        size = grid_size(height, width, self._short_side_px or min(height, width), STRIDE)
        normalised = ((resized(pictures, size) + 1) / 2 - _MEAN) / _DEVIATION
        disparity = self.network(normalised)[:, 0]
        return DepthPrediction(back_to(disparity, height, width), is_inverse=True)


def open_dispresnet(
    weights: Path | None = None, short_side_px: int | None = None
) -> DispResNetEstimator:
    """The estimator with imported weights.

    Raises:
        RecipeError: none are named, or they are of another network.
    """
    path = needed(weights, KIND, "dispnet_model_best.pth.tar")
    state, about = read_weights(path, KIND)
    network = DispResNet(int(about["depth"]))
    fill(network, state, str(path))
    return DispResNetEstimator(network, short_side_px)
