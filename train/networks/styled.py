"""A light generator with many looks: content blocks, then blocks that a style code governs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from train.networks.generator import ResidualBlock, doubling, halving, initialise, instance_norm
from train.networks.munit import MunitShape, ResBlocks, StyleNetwork, begin_lively


@dataclass(frozen=True, slots=True)
class StyledShape:
    """Sizes of the generator."""

    width: int = 48
    content_blocks: int = 3
    style_blocks: int = 3
    code: int = 8


class StyledGenerator(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] and codes (B, code) → pictures; H, W multiples of 4.

    All sampling is anti-aliased. What is shown is settled before the code comes in, so that one
    picture in several styles shows the same.
    """

    def __init__(self, shape: StyledShape = StyledShape()) -> None:
        super().__init__()
        width = shape.width
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), instance_norm(width), nn.ReLU(),
            *halving(width, True), *halving(2 * width, True),
            *(ResidualBlock(4 * width) for _ in range(shape.content_blocks)),
        )  # fmt: skip
        self.style_blocks = ResBlocks(4 * width, shape.style_blocks, is_adaptive=True)
        self.decoder = nn.Sequential(
            *doubling(4 * width, True), *doubling(2 * width, True),
            nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh(),
        )  # fmt: skip
        of_code = MunitShape(width, shape.style_blocks, shape.code, hidden=4 * width)
        self.style = StyleNetwork(of_code)
        self.apply(initialise)
        # As small as the rest, codes would be lost on the way, and none would ever matter.
        self.style.apply(begin_lively)
        self._begin_plainly(4 * width)
        # Before, in and behind the halvings, and where the content is settled.
        self.taps = (0, 4, 8, 11 + shape.content_blocks)
        self.channels = (3, 2 * width, 4 * width, 4 * width)

    def _begin_plainly(self, channels: int) -> None:
        """At first codes ask for mean 0 and deviation 1 in the middle; code zero for just these."""
        last = cast(nn.Linear, self.style.model[-1].fc)
        affine = torch.cat([torch.zeros(channels), torch.ones(channels)])
        with torch.no_grad():
            last.bias.copy_(affine.repeat(len(last.bias) // len(affine)))

    def forward(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """Translate."""
        styled = self.style_blocks(self.encoder(pictures), self.style(codes))
        return cast(Tensor, self.decoder(styled))

    def features(self, pictures: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """What leaves some layers of the encoder, by their numbers in rising order."""
        kept = []
        x = pictures
        for number, layer in enumerate(self.encoder):
            x = layer(x)
            if number in layers:
                kept.append(x)
        return kept
