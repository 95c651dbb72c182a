"""AdaIN's networks: a fixed encoder and the decoder that turns its features into pictures.

Huang and Belongie 2017 (arXiv:1703.06868). The encoder is VGG-19 (Simonyan and Zisserman 2014) with
a 1x1 convolution in front that takes colours [0, 1] to what the original network expects. Layers
have the numbers of the public checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

TAPS = (3, 10, 17, 30, 43)
"""Layers of `Vgg` whose features are compared: relu1_1, relu2_1, relu3_1, relu4_1, relu5_1."""
_STAGES = (2, 2, 4, 4, 4)
"""Convolutions at each size."""


class Vgg(nn.Sequential):
    """(B, 3, H, W) in [0, 1] → features (B, 8 · width, H/8, W/8) of relu4_1, rounded up.

    Args:
        width: channels of the first stage; the next have 2, 4, 8 and 8 times as many.
        layers: how many to keep; 31 ends with relu4_1, 44 with relu5_1, 53 is all of it.
    """

    def __init__(self, width: int = 64, layers: int = 31) -> None:
        found: list[nn.Module] = [nn.Conv2d(3, 3, 1)]
        inputs = 3
        for stage, count in enumerate(_STAGES):
            if stage:
                found.append(nn.MaxPool2d(2, ceil_mode=True))
            outputs = width * min(2**stage, 8)
            for _ in range(count):
                found += [nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3), nn.ReLU()]
                inputs = outputs
        super().__init__(*found[:layers])

    def features(self, pictures: Tensor, taps: Sequence[int]) -> list[Tensor]:
        """What leaves some layers, by their numbers in rising order; later ones are not run."""
        kept = []
        x = pictures
        for number, layer in enumerate(self):
            x = layer(x)
            if number in taps:
                kept.append(x)
            if number == taps[-1]:
                break
        return kept


class VggDecoder(nn.Sequential):
    """Features (B, 8 · width, h, w) → pictures (B, 3, 8h, 8w), about [0, 1] but not held there."""

    def __init__(self, width: int = 64) -> None:
        layers: list[nn.Module] = [*_convolution(8 * width, 4 * width), _doubled()]
        for _ in range(3):
            layers += _convolution(4 * width, 4 * width)
        layers += [*_convolution(4 * width, 2 * width), _doubled()]
        layers += [*_convolution(2 * width, 2 * width), *_convolution(2 * width, width)]
        layers += [_doubled(), *_convolution(width, width)]
        layers += [nn.ReflectionPad2d(1), nn.Conv2d(width, 3, 3)]
        super().__init__(*layers)


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3), nn.ReLU()]


def _doubled() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="nearest")


def statistics(features: Tensor) -> Tensor:
    """(B, C, H, W) → (B, 2, C): mean and deviation, sqrt(variance of a sample + 1e-5)."""
    flat = features.float().flatten(2)
    return torch.stack([flat.mean(2), (flat.var(2) + 1e-5).sqrt()], dim=1)


def adaptive_instance_norm(content: Tensor, style: Tensor) -> Tensor:
    """Content (B, C, H, W) with the mean and deviation of a style (B, 2, C): equation (8)."""
    mean, deviation = style[..., None, None].unbind(1)
    return normalised(content) * deviation + mean


def normalised(features: Tensor) -> Tensor:
    """(B, C, H, W) with mean 0 and deviation 1 in every channel of every picture."""
    mean, deviation = statistics(features)[..., None, None].unbind(1)
    return (features - mean) / deviation
