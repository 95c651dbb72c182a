"""The real-time network: EfficientNet-Lite0, a feature pyramid, a thin head of three planes.

Pyramid after Lin et al. 2017 (arXiv:1612.03144), 64 channels, with a narrow level at stride 2
added for thin folds and their edges.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    SameConv,
    build_efficientnet_lite0,
)

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


class BilinearDoubling(nn.Module):
    """Doubles height and width exactly as bilinear interpolation does, by one fixed convolution.

    Each output pixel lies a quarter of a pixel from an input pixel: 3/4 of it and 1/4 of the next,
    in both directions. With two channels, run times on processors are several times slower at
    interpolating than at convolving and rearranging.
    """

    weight: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        before, after = torch.tensor([0.25, 0.75, 0.0]), torch.tensor([0.0, 0.75, 0.25])
        phases = [torch.outer(rows, columns) for rows in (before, after)
                  for columns in (before, after)]  # fmt: skip
        weight = torch.zeros(4 * channels, channels, 3, 3)
        for channel in range(channels):
            weight[4 * channel : 4 * channel + 4, channel] = torch.stack(phases)
        self.register_buffer("weight", weight, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, 2H, 2W)."""
        padded = functional.pad(features, (1, 1, 1, 1), mode="replicate")
        return functional.pixel_shuffle(functional.conv2d(padded, self.weight), 2)


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
        self.head = nn.Conv2d(FINE_CHANNELS, len(OUTPUTS), 3, padding=1)
        self.enlarge = BilinearDoubling(len(OUTPUTS))
        # Near the means, so that the first steps are not spent on moving every pixel.
        self.head.bias = nn.Parameter(torch.tensor(_START))

    def forward(self, image: Tensor) -> Tensor:
        """Planes at the input's size; H and W multiples of 32."""
        fine, *coarse = self.encoder(image)
        top = self.smooth[-1](self.laterals[-1](coarse[-1]))
        for level in range(len(coarse) - 2, -1, -1):
            top = self.smooth[level](self.laterals[level](coarse[level]) + enlarge(top, 2))
        merged = self.fine_lateral(fine) + enlarge(self.squeeze(top), 2)
        logits: Tensor = self.enlarge(self.head(self.fine_smooth(merged)))
        return logits


def build_student(*, pretrained: bool = True) -> FoldStudent:
    """The student with an ImageNet encoder unless told otherwise."""
    return FoldStudent(build_efficientnet_lite0(pretrained=pretrained))
