"""The real-time network: EfficientNet-Lite0, a feature pyramid, two thin heads.

Pyramid after Lin et al. 2017 (arXiv:1612.03144), 64 channels, with a narrow level at stride 2
added for thin folds and their edges.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from train.networks.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    build_efficientnet_lite0,
)

PYRAMID_CHANNELS = 64
FINE_CHANNELS = 24
OUTPUTS = ("fold", "edge")


def _separable(inputs: int, outputs: int) -> nn.Sequential:
    """Depthwise 3×3 → 1×1, normalised, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _enlarge(features: Tensor, scale: int) -> Tensor:
    return functional.interpolate(
        features, scale_factor=float(scale), mode="bilinear", align_corners=False
    )


class FoldStudent(nn.Module):
    """(B, 3, H, W), values 0..255 → logits (B, 2, H, W): fold region, fold edge."""

    def __init__(self, encoder: EfficientNetLite0) -> None:
        super().__init__()
        self.encoder = encoder
        fine, *coarse = FEATURE_CHANNELS
        self.laterals = nn.ModuleList(nn.Conv2d(n, PYRAMID_CHANNELS, 1) for n in coarse)
        self.smooth = nn.ModuleList(_separable(PYRAMID_CHANNELS, PYRAMID_CHANNELS) for _ in coarse)
        self.squeeze = _separable(PYRAMID_CHANNELS, FINE_CHANNELS)
        self.fine_lateral = nn.Conv2d(fine, FINE_CHANNELS, 1)
        self.fine_smooth = _separable(FINE_CHANNELS, FINE_CHANNELS)
        self.head = nn.Conv2d(FINE_CHANNELS, len(OUTPUTS), 3, padding=1)
        # An even start of -2 keeps the first steps from being spent on lowering every pixel.
        nn.init.constant_(self.head.bias, -2.0) if self.head.bias is not None else None

    def forward(self, image: Tensor) -> Tensor:
        """Logits at the input's size; H and W multiples of 32."""
        fine, *coarse = self.encoder(image)
        top = self.smooth[-1](self.laterals[-1](coarse[-1]))
        for level in range(len(coarse) - 2, -1, -1):
            top = self.smooth[level](self.laterals[level](coarse[level]) + _enlarge(top, 2))
        merged = self.fine_lateral(fine) + _enlarge(self.squeeze(top), 2)
        return _enlarge(self.head(self.fine_smooth(merged)), 2)


def build_student(*, pretrained: bool = True) -> FoldStudent:
    """The student with an ImageNet encoder unless told otherwise."""
    return FoldStudent(build_efficientnet_lite0(pretrained=pretrained))
