"""A small U-Net (Ronneberger et al. 2015, arXiv:1505.04597) for what is said of every pixel."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.generator import instance_norm


class UNet(nn.Module):
    """(B, 3, H, W) → (B, outputs, H, W), any H and W from 2^levels.

    Args:
        outputs: channels.
        width: channels at full size; twice as many at each smaller one.
        levels: sizes.
    """

    def __init__(self, outputs: int, width: int = 32, levels: int = 4) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(levels)]
        self.down = nn.ModuleList(
            _convolutions(inputs, each)
            for inputs, each in zip([3, *widths[:-1]], widths, strict=True)
        )
        self.up = nn.ModuleList(
            _convolutions(below + each, each) for each, below in pairwise(widths)
        )
        self.head = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Down, and up again with what was seen on the way."""
        kept: list[Tensor] = []
        for level, convolutions in enumerate(self.down):
            x = convolutions(functional.max_pool2d(x, 2) if level else x)
            kept.append(x)
        for convolutions, beside in zip(reversed(self.up), kept[-2::-1], strict=True):
            x = functional.interpolate(x, beside.shape[2:])
            x = convolutions(torch.cat([x, beside], dim=1))
        return cast(Tensor, self.head(x))


def _convolutions(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), instance_norm(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1), instance_norm(outputs), nn.ReLU(),
    )  # fmt: skip
