"""`colon`: our own depth network, trained on procedural colons alone; its weights travel along."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from train.depth.pictures import back_to, grid_size, resized
from train.losses.depth import DepthPrediction
from train.networks.colon_depth import STRIDE, ColonDepth, build_colon_depth
from train.weights import fill, read_weights, save_weights

KIND = "colon-depth"
SHIPPED = Path(__file__).resolve().parent.parent / "pretrained" / "colon-depth.safetensors"
_REMEDY = "Train one: haustra-train depth train colon --data SET -o RUN; it is in RUN."
SHORT_SIDE_PX = 192
"""Pictures are brought to this, as the network has learned them."""


class ColonEstimator(nn.Module):
    """Frozen; gradients flow through it to the picture."""

    def __init__(self, network: ColonDepth, short_side_px: int = SHORT_SIDE_PX) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self._short_side_px = short_side_px

    def forward(self, pictures: Tensor) -> DepthPrediction:
        """(B, 3, H, W) RGB in [-1, 1] → depth along the ray (B, H, W), nearly millimetres."""
        self.to(pictures.device)
        height, width = pictures.shape[-2:]
        size = grid_size(height, width, self._short_side_px, STRIDE)
        # In bfloat16 a step of log depth is more than one per cent of depth.
        with torch.autocast(pictures.device.type, enabled=False):
            log_depth = self.network((resized(pictures.float(), size) + 1) * 127.5)
        return DepthPrediction(back_to(log_depth, height, width).exp(), is_inverse=False)


def open_colon(weights: Path | None = None, short_side_px: int | None = None) -> ColonEstimator:
    """The estimator; `weights` of a run (`haustra-train depth train`), or None for those shipped.

    Raises:
        RecipeError: no such file, or weights of another network.
    """
    path = weights or SHIPPED
    state, about = read_weights(path, KIND, _REMEDY)
    network = build_colon_depth(pretrained=False)
    fill(network, state, str(path))
    return ColonEstimator(network, short_side_px or int(about["short_side_px"]))


def save_colon(path: Path, network: ColonDepth, short_side_px: int, trained_on: str) -> Path:
    """Write the network in half precision; returns `path`.

    Raises:
        RecordingError: nothing can be written there.
    """
    state = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    about = {"kind": KIND, "short_side_px": str(short_side_px), "trained_on": trained_on}
    return save_weights(path, state, about)
