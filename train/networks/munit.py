"""MUNIT's networks: what is shown (content) apart from how it looks (style).

Huang et al. 2018 (arXiv:1804.04732), and the variant with a content of eight channels by Pfeiffer
et al. 2019 (arXiv:1907.02882). Layers have the names of the public checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.generator import initialise, instance_norm

_DOWN = 2
"""Halvings of the content, 4 of the style."""


@dataclass(frozen=True, slots=True)
class MunitShape:
    """Sizes of a generator."""

    width: int = 64
    blocks: int = 4
    style: int = 8
    """Numbers in a style code; 0: the generator knows one style and has no code."""
    bottleneck: int = 0
    """Channels of the content; 0 for as many as the blocks have (4 x width)."""
    hidden: int = 256
    """Of the network from codes to normalisation."""


class AdaptiveInstanceNorm(nn.Module):
    """Instance norm whose bias and weight come with the style.

    The buffers take no part; checkpoints have them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor, affine: Tensor) -> Tensor:
        """x (B, C, H, W), affine (B, 2C): first every bias, then every weight."""
        bias, weight = affine[..., None, None].chunk(2, dim=1)
        return functional.instance_norm(x) * weight + bias


class PictureNorm(nn.Module):
    """(x - mean) / (deviation + 1e-5) over all of a picture, then a gain and a shift a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same; the deviation is that of a sample (n - 1)."""
        mean = x.mean((1, 2, 3), keepdim=True)
        deviation = x.std((1, 2, 3), keepdim=True)
        level = (x - mean) / (deviation + 1e-5)
        return level * self.gamma[:, None, None] + self.beta[:, None, None]


class ConvBlock(nn.Module):
    """Reflected border, convolution, norm, activation; without norm unless one is given."""

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int, int],
        norm: nn.Module | None = None, activation: nn.Module | None = None,
    ) -> None:  # fmt: skip
        """`kernel`: size, stride, padding."""
        super().__init__()
        size, stride, padding = kernel
        self.pad = nn.ReflectionPad2d(padding)
        self.conv = nn.Conv2d(inputs, outputs, size, stride)
        self.norm = norm
        self.activation = activation

    def forward(self, x: Tensor, affine: Tensor | None = None) -> Tensor:
        """`affine`: for an adaptive norm."""
        x = self.conv(self.pad(x))
        if isinstance(self.norm, AdaptiveInstanceNorm):
            x = self.norm(x, affine)
        elif self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else cast(Tensor, self.activation(x))


class ResBlock(nn.Module):
    """x + two convolutions."""

    def __init__(self, channels: int, *, is_adaptive: bool) -> None:
        super().__init__()

        def norm() -> nn.Module:
            return AdaptiveInstanceNorm(channels) if is_adaptive else instance_norm(channels)

        self.model = nn.ModuleList(
            [
                ConvBlock(channels, channels, (3, 1, 1), norm(), nn.ReLU()),
                ConvBlock(channels, channels, (3, 1, 1), norm()),
            ]
        )

    def forward(self, x: Tensor, affine: Sequence[Tensor | None] = (None, None)) -> Tensor:
        """`affine`: of the first and the second norm."""
        first, second = self.model
        return x + cast(Tensor, second(first(x, affine[0]), affine[1]))


class ResBlocks(nn.Module):
    """Blocks in a row, all with the same channels."""

    def __init__(self, channels: int, count: int, *, is_adaptive: bool) -> None:
        super().__init__()
        self.model = nn.ModuleList(
            ResBlock(channels, is_adaptive=is_adaptive) for _ in range(count)
        )

    def forward(self, x: Tensor, affine: Tensor | None = None) -> Tensor:
        """`affine` (B, count · 2 · 2C), consumed norm by norm."""
        parts: Sequence[Tensor | None] = [None] * (2 * len(self.model))
        if affine is not None:
            parts = affine.chunk(2 * len(self.model), dim=1)
        for number, block in enumerate(self.model):
            x = block(x, parts[2 * number : 2 * number + 2])
        return x


class StyleEncoder(nn.Module):
    """(B, 3, H, W) → codes (B, style): no norm, which would take the style away."""

    def __init__(self, shape: MunitShape) -> None:
        super().__init__()
        width = shape.width
        layers: list[nn.Module] = [ConvBlock(3, width, (7, 1, 3), activation=nn.ReLU())]
        for inputs, outputs in ((1, 2), (2, 4), (4, 4), (4, 4)):
            layers.append(
                ConvBlock(inputs * width, outputs * width, (4, 2, 1), activation=nn.ReLU())
            )
        layers += [nn.AdaptiveAvgPool2d(1), nn.Conv2d(4 * width, shape.style, 1)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """The code of each picture."""
        return cast(Tensor, self.model(x)).flatten(1)


class ContentEncoder(nn.Module):
    """(B, 3, H, W) → (B, C, H/4, W/4)."""

    def __init__(self, shape: MunitShape) -> None:
        super().__init__()
        width = shape.width
        layers: list[nn.Module] = [
            ConvBlock(3, width, (7, 1, 3), instance_norm(width), nn.ReLU()),
        ]
        for _ in range(_DOWN):
            norm = instance_norm(2 * width)
            layers.append(ConvBlock(width, 2 * width, (4, 2, 1), norm, nn.ReLU()))
            width *= 2
        layers.append(ResBlocks(width, shape.blocks, is_adaptive=False))
        if shape.bottleneck:
            layers.append(ConvBlock(width, shape.bottleneck, (3, 1, 1), activation=nn.ReLU()))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """What a picture shows."""
        return cast(Tensor, self.model(x))


class Decoder(nn.Module):
    """Content (B, C, H/4, W/4), and the style as normalisation, → (B, 3, H, W) in [-1, 1]."""

    def __init__(self, shape: MunitShape) -> None:
        super().__init__()
        width = 2**_DOWN * shape.width
        layers: list[nn.Module] = []
        if shape.bottleneck:
            layers.append(ConvBlock(shape.bottleneck, width, (3, 1, 1), activation=nn.ReLU()))
        layers.append(ResBlocks(width, shape.blocks, is_adaptive=shape.style > 0))
        for _ in range(_DOWN):
            half = width // 2
            norm = PictureNorm(half)
            layers += [nn.Upsample(scale_factor=2)]
            layers += [ConvBlock(width, half, (5, 1, 2), norm, nn.ReLU())]
            width = half
        layers.append(ConvBlock(width, 3, (7, 1, 3), activation=nn.Tanh()))
        self.model = nn.ModuleList(layers)

    def forward(self, content: Tensor, affine: Tensor | None = None) -> Tensor:
        """`affine` (B, blocks · 2 · 2C), where there is a style."""
        x = content
        for layer in self.model:
            x = layer(x, affine) if isinstance(layer, ResBlocks) else layer(x)
        return x


class LinearBlock(nn.Module):
    """A layer of the network from codes to normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) → (B, outputs)."""
        return cast(Tensor, self.fc(x))


class StyleNetwork(nn.Module):
    """Code (B, style) → every bias and weight of the decoder (B, blocks · 2 · 2C)."""

    def __init__(self, shape: MunitShape) -> None:
        super().__init__()
        outputs = shape.blocks * 2 * 2 * 2**_DOWN * shape.width
        self.model = nn.ModuleList(
            [
                LinearBlock(shape.style, shape.hidden), LinearBlock(shape.hidden, shape.hidden),
                LinearBlock(shape.hidden, outputs),
            ]
        )  # fmt: skip

    def forward(self, code: Tensor) -> Tensor:
        """All in one row."""
        first, second, last = self.model
        return cast(Tensor, last(functional.relu(second(functional.relu(first(code))))))


class MunitGenerator(nn.Module):
    """Of one domain: pictures to content and style, and back.

    `noise`: deviation of what is added to pictures before they are encoded, in training only.
    """

    def __init__(self, shape: MunitShape = MunitShape(), noise: float = 0.0) -> None:
        super().__init__()
        self.noise = noise
        if shape.style:
            self.enc_style = StyleEncoder(shape)
        self.enc_content = ContentEncoder(shape)
        self.dec = Decoder(shape)
        if shape.style:
            self.mlp = StyleNetwork(shape)
        self.code_size = shape.style
        self.apply(begin_lively)

    def encode(self, pictures: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, 3, H, W) → content, and style code where there is one."""
        if self.noise and self.training:
            pictures = pictures + self.noise * torch.randn_like(pictures)
        style = cast(Tensor, self.enc_style(pictures)) if self.code_size else None
        return self.enc_content(pictures), style

    def decode(self, content: Tensor, code: Tensor | None) -> Tensor:
        """Content and code → pictures (B, 3, H, W) in [-1, 1]."""
        affine = self.mlp(code) if self.code_size else None
        return cast(Tensor, self.dec(content, affine))

    def draw(self, count: int, device: torch.device) -> Tensor | None:
        """Codes at random, as the prior has them: N(0, 1)."""
        return torch.randn(count, self.code_size, device=device) if self.code_size else None


class MultiScaleDiscriminator(nn.Module):
    """Judges a picture at full, half and quarter size: a map of scores each."""

    def __init__(self, width: int = 64, scales: int = 3) -> None:
        super().__init__()
        self.cnns = nn.ModuleList(_judge(width) for _ in range(scales))
        self.apply(initialise)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → (B, 1, H/16, W/16) and smaller."""
        scores = []
        for network in self.cnns:
            scores.append(network(x))
            x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return scores


def _judge(width: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    inputs, outputs = 3, width
    for _ in range(4):
        layers.append(ConvBlock(inputs, outputs, (4, 2, 1), activation=nn.LeakyReLU(0.2)))
        inputs, outputs = outputs, 2 * outputs
    return nn.Sequential(*layers, nn.Conv2d(inputs, 1, 1))


def begin_lively(layer: nn.Module) -> None:
    """As MUNIT begins: He's normal weights, no bias."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
