"""Our own depth network: EfficientNet-Lite0, a feature pyramid down to stride 2, one thin head.

The pyramid is the student's (`train.networks.student`); what comes out is the logarithm of depth,
in which an unknown scale is an unknown constant.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from train.networks.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    build_efficientnet_lite0,
)
from train.networks.student import FINE_CHANNELS, PYRAMID_CHANNELS, enlarge, separable

STRIDE = 32
"""Heights and widths must be multiples of it."""
_TYPICAL_LOG_MM = 3.4
"""ln 30 mm: the first steps are not spent on finding the length of a colon's straight parts."""


class ColonDepth(nn.Module):
    """(B, 3, H, W), values 0..255 → (B, H, W), natural logarithm of depth along the ray in mm."""

    def __init__(self, encoder: EfficientNetLite0) -> None:
        super().__init__()
        self.encoder = encoder
        fine, *coarse = FEATURE_CHANNELS
        self.laterals = nn.ModuleList(nn.Conv2d(n, PYRAMID_CHANNELS, 1) for n in coarse)
        self.smooth = nn.ModuleList(separable(PYRAMID_CHANNELS, PYRAMID_CHANNELS) for _ in coarse)
        self.squeeze = separable(PYRAMID_CHANNELS, FINE_CHANNELS)
        self.fine_lateral = nn.Conv2d(fine, FINE_CHANNELS, 1)
        self.fine_smooth = separable(FINE_CHANNELS, FINE_CHANNELS)
        self.head = nn.Conv2d(FINE_CHANNELS, 1, 3, padding=1)
        # Of a whole view: how bright, how far the lumen goes; decides the scale.
        self.view = nn.Linear(coarse[-1], PYRAMID_CHANNELS)
        nn.init.normal_(self.head.weight, std=0.01)
        assert self.head.bias is not None
        nn.init.constant_(self.head.bias, _TYPICAL_LOG_MM)

    def forward(self, image: Tensor) -> Tensor:
        """Log depth at the input's size; H and W multiples of `STRIDE`."""
        fine, *coarse = self.encoder(image)
        whole = self.view(coarse[-1].mean((2, 3)))[:, :, None, None]
        top = self.smooth[-1](self.laterals[-1](coarse[-1]) + whole)
        for level in range(len(coarse) - 2, -1, -1):
            top = self.smooth[level](self.laterals[level](coarse[level]) + enlarge(top, 2))
        merged = self.fine_lateral(fine) + enlarge(self.squeeze(top), 2)
        log_depth: Tensor = self.head(self.fine_smooth(merged))
        return functional.interpolate(
            log_depth, scale_factor=2.0, mode="bilinear", align_corners=False
        )[:, 0]


def build_colon_depth(*, pretrained: bool = True) -> ColonDepth:
    """With an ImageNet encoder unless told otherwise."""
    return ColonDepth(build_efficientnet_lite0(pretrained=pretrained))
