"""The real-time network: EfficientNet-Lite0, a feature pyramid, a thin head of three planes.

Pyramid after Lin et al. 2017 (arXiv:1612.03144), 64 channels, with a narrow level at stride 2
added for thin folds and their edges, and sub-pixels after Shi et al. 2016 (arXiv:1609.05158).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    SameConv,
    build_efficientnet_lite0,
)
from train.weights import fill, read_weights

PYRAMID_CHANNELS = 64
FINE_CHANNELS = 24
OUTPUTS = ("fold", "edge", "depth")

_START = (-2.0, -2.0, 3.5)
"""First values of the planes: few pixels are fold or edge, the wall is some 33 mm away."""


def separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3×3 → 1×1, normalised, ReLU."""
    return nn.Sequential(
        SameConv(inputs, inputs, 3, 1, groups=inputs),
        nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def enlarge(features: Tensor, scale: int) -> Tensor:
    return functional.interpolate(
        features, scale_factor=float(scale), mode="bilinear", align_corners=False
    )


class FoldStudent(nn.Module):
    """(B, 3, H, W), values 0..255 → (B, 3, H, W): fold region and edge (logits), log of depth."""

    def __init__(self, encoder: EfficientNetLite0) -> None:
        super().__init__()
        self.encoder = encoder
        fine, *coarse = FEATURE_CHANNELS
        self.laterals = nn.ModuleList(nn.Conv2d(n, PYRAMID_CHANNELS, 1) for n in coarse)
        self.smooth = nn.ModuleList(separable(PYRAMID_CHANNELS, PYRAMID_CHANNELS) for _ in coarse)
        self.squeeze = separable(PYRAMID_CHANNELS, FINE_CHANNELS)
        self.fine_lateral = nn.Conv2d(fine, FINE_CHANNELS, 1)
        self.fine_smooth = separable(FINE_CHANNELS, FINE_CHANNELS)
        self.head = nn.Conv2d(FINE_CHANNELS, 4 * len(OUTPUTS), 3, padding=1)
        # Near the means, so that the first steps are not spent on moving every pixel.
        self.head.bias = nn.Parameter(torch.tensor(_START).repeat_interleave(4))

    def forward(self, image: Tensor) -> Tensor:
        """Planes at the input's size; H and W multiples of 32."""
        fine, *coarse = self.encoder(image)
        top = self.smooth[-1](self.laterals[-1](coarse[-1]))
        for level in range(len(coarse) - 2, -1, -1):
            top = self.smooth[level](self.laterals[level](coarse[level]) + enlarge(top, 2))
        merged = self.fine_lateral(fine) + enlarge(self.squeeze(top), 2)
        # Four values of each plane, one a pixel: borders lie where the network says, not where
        # interpolation from every second pixel would put them.
        return functional.pixel_shuffle(self.head(self.fine_smooth(merged)), 2)

    def load_public(self, path: Path) -> None:
        """Fill it with what `haustra-train import student` wrote.

        Raises:
            RecipeError: no such file, of another kind, or tensors that do not fit.
        """
        state, _ = read_weights(path, "student")
        fill(self, state, path.name)


def build_student(*, pretrained: bool = True) -> FoldStudent:
    """The student with an ImageNet encoder unless told otherwise."""
    return FoldStudent(build_efficientnet_lite0(pretrained=pretrained))
