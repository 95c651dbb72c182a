"""Picture-to-picture generators: residual blocks between down- and up-sampling.

After Johnson et al. 2016 as used by CycleGAN (Zhu et al. 2017, arXiv:1703.10593); anti-aliased,
after Zhang 2019 (arXiv:1904.11486), as used by CUT (Park et al. 2020). Layers have the numbers of
the public checkpoints, so that state dicts load by name.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


def instance_norm(channels: int) -> nn.InstanceNorm2d:
    """Without parameters and running statistics: nothing of it is in a checkpoint."""
    return nn.InstanceNorm2d(channels, affine=False, track_running_stats=False)


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions, reflected at the border."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), instance_norm(channels),
            nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), instance_norm(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        change: Tensor = self.conv_block(x)
        return x + change


class BlurDown(nn.Module):
    """Halves height and width behind a binomial blur, [1, 2, 1] in both directions."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", _blur((1.0, 2.0, 1.0)).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, H/2, W/2)."""
        padded = functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return functional.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """Doubles height and width and blurs, [1, 3, 3, 1] in both directions."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        # Three of four pixels are zero before the blur: four times the weight keeps the level.
        self.register_buffer("filt", 4 * _blur((1.0, 3.0, 3.0, 1.0)).repeat(channels, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C, 2H, 2W)."""
        padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        spread = functional.conv_transpose2d(
            padded, self.filt, stride=2, padding=2, groups=x.shape[1]
        )
        return spread[..., 1:-1, 1:-1]


def _blur(taps: Sequence[float]) -> Tensor:
    """(1, 1, k, k) of sum 1."""
    line = torch.tensor(taps)
    kernel = torch.outer(line, line)
    return (kernel / kernel.sum())[None, None]


class Generator(nn.Module):
    """(B, 3, H, W) in [-1, 1] → the same range; H and W multiples of 4.

    Args:
        width: channels of the first layer (ngf): 64, FoldIt's 80.
        blocks: residual blocks: 9, or 6 for small pictures.
        is_antialiased: blurred sampling as in CUT.
    """

    def __init__(self, width: int = 64, blocks: int = 9, *, is_antialiased: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), instance_norm(width), nn.ReLU(True),
        ]  # fmt: skip
        layers += halving(width, is_antialiased) + halving(2 * width, is_antialiased)
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        layers += doubling(4 * width, is_antialiased) + doubling(2 * width, is_antialiased)
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Translate."""
        found: Tensor = self.model(x)
        return found

    def features(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """What leaves some layers, by their numbers in rising order; later ones are not run."""
        kept = []
        for number, layer in enumerate(self.model):
            x = layer(x)
            if number in layers:
                kept.append(x)
            if number == layers[-1]:
                break
        return kept


def halving(channels: int, is_antialiased: bool) -> list[nn.Module]:
    """(B, channels, H, W) → (B, 2 · channels, H/2, W/2)."""
    rest = [instance_norm(2 * channels), nn.ReLU(True)]
    if is_antialiased:
        return [nn.Conv2d(channels, 2 * channels, 3, padding=1), *rest, BlurDown(2 * channels)]
    return [nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), *rest]


def doubling(channels: int, is_antialiased: bool) -> list[nn.Module]:
    """(B, channels, H, W) → (B, channels / 2, 2H, 2W)."""
    half = channels // 2
    rest = [instance_norm(half), nn.ReLU(True)]
    if is_antialiased:
        return [BlurUp(channels), nn.Conv2d(channels, half, 3, padding=1), *rest]
    transposed = nn.ConvTranspose2d(channels, half, 3, stride=2, padding=1, output_padding=1)
    return [transposed, *rest]


def initialise(layer: nn.Module) -> None:
    """Weights N(0, 0.02), no bias: as CycleGAN begins."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
