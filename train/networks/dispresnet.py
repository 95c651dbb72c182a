"""SC-SfMLearner: disparity from one picture, motion from two (Bian et al. 2019, arXiv:1908.10553).

A ResNet encoder under a decoder of up-convolutions after Godard et al. 2019 (arXiv:1806.01260).
Layers have the names of the public checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.resnet import ResNet

STRIDE = 32
"""Heights and widths must be multiples of it."""
_DECODER_CHANNELS = (16, 32, 64, 128, 256)
_SCALES = 4
_LARGEST, _SMALLEST = 10.0, 0.01
"""disparity = 10 · sigmoid + 0.01: depth from 0.1 to 100, of unknown unit."""
_MOTION_UNIT = 0.01


class Conv3x3(nn.Module):
    """3×3, reflected at the border."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, outputs, H, W)."""
        found: Tensor = self.conv(functional.pad(x, (1, 1, 1, 1), mode="reflect"))
        return found


class ConvBlock(nn.Module):
    """3×3, then ELU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Conv3x3(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, outputs, H, W)."""
        return functional.elu(self.conv(x))


class ResNetEncoder(nn.Module):
    """The ResNet under the name that checkpoints have for it."""

    def __init__(self, depth: int, pictures: int = 1) -> None:
        super().__init__()
        self.encoder = ResNet(depth, 3 * pictures)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Five feature maps."""
        features: list[Tensor] = self.encoder(x)
        return features


class DisparityDecoder(nn.Module):
    """From the deepest features up, two blocks a level, to disparity at four scales."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for level in range(4, -1, -1):
            inputs = channels[4] if level == 4 else _DECODER_CHANNELS[level + 1]
            outputs = _DECODER_CHANNELS[level]
            skipped = channels[level - 1] if level else 0
            layers += [ConvBlock(inputs, outputs), ConvBlock(outputs + skipped, outputs)]
        layers += [Conv3x3(_DECODER_CHANNELS[scale], 1) for scale in range(_SCALES)]
        self.decoder = nn.ModuleList(layers)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Disparity (B, 1, H / 2^s, W / 2^s) at the scales s = 0..3, finest first."""
        found: list[Tensor] = []
        x = features[4]
        for level in range(4, -1, -1):
            first = 2 * (4 - level)
            x = functional.interpolate(self.decoder[first](x), scale_factor=2.0, mode="nearest")
            if level:
                x = torch.cat([x, features[level - 1]], 1)
            x = self.decoder[first + 1](x)
            if level < _SCALES:
                share = torch.sigmoid(self.decoder[10 + level](x))
                found.insert(0, _LARGEST * share + _SMALLEST)
        return found


class DispResNet(nn.Module):
    """(B, 3, H, W), (value - 0.45) / 0.225 → disparity (B, 1, H, W), larger is nearer.

    Args:
        depth: of the ResNet: 18 or 50.
    """

    def __init__(self, depth: int = 18) -> None:
        super().__init__()
        self.encoder = ResNetEncoder(depth)
        self.decoder = DisparityDecoder(self.encoder.encoder.channels)

    def scales(self, pictures: Tensor) -> list[Tensor]:
        """Disparity at four scales, finest first: what training looks at."""
        found: list[Tensor] = self.decoder(self.encoder(pictures))
        return found

    def forward(self, pictures: Tensor) -> Tensor:
        """The finest."""
        return self.scales(pictures)[0]


class MotionDecoder(nn.Module):
    """The deepest features of two pictures → how the camera moved."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.ModuleList(
            [
                nn.Conv2d(channels, 256, 1), nn.Conv2d(256, 256, 3, padding=1),
                nn.Conv2d(256, 256, 3, padding=1), nn.Conv2d(256, 6, 1),
            ]
        )  # fmt: skip

    def forward(self, features: list[Tensor]) -> Tensor:
        """(B, 6)."""
        x = features[-1]
        for layer in list(self.net)[:-1]:
            x = functional.relu(layer(x))
        motion: Tensor = self.net[-1](x)
        return _MOTION_UNIT * motion.mean((2, 3))


class PoseResNet(nn.Module):
    """Two pictures (B, 3, H, W) → (B, 6): translation, then Euler angles in rad.

    Args:
        depth: of the ResNet: 18 or 50.
    """

    def __init__(self, depth: int = 18) -> None:
        super().__init__()
        self.encoder = ResNetEncoder(depth, pictures=2)
        self.decoder = MotionDecoder(self.encoder.encoder.channels[-1])

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """From the first to the second picture."""
        motion: Tensor = self.decoder(self.encoder(torch.cat([first, second], 1)))
        return motion
