"""The convolutional stem of R50-ViT hybrids (Kolesnikov et al. 2019, arXiv:1912.11370).

ResNet-50 without its last stage, group norms for batch norms, weights standardised at every pass.
In spite of its name a unit activates after its convolutions.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

_GROUPS = 32
_EPSILON = 1e-6
_WEIGHT_EPSILON = 1e-5


class StandardConv(nn.Conv2d):
    """Each filter less its mean, divided by its deviation (Qiao et al. 2019, arXiv:1903.10520)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) → (B, outputs, H / stride, W / stride)."""
        weight = self.weight - self.weight.mean((1, 2, 3), keepdim=True)
        variance = weight.square().mean((1, 2, 3), keepdim=True)
        weight = weight / (variance + _WEIGHT_EPSILON).sqrt()
        return functional.conv2d(input, weight, None, self.stride, self.padding)


def _norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(min(_GROUPS, channels), channels, _EPSILON)


@dataclass(frozen=True, slots=True)
class Channels:
    """Of a unit: into it, in its middle, out of it."""

    inputs: int
    middle: int
    outputs: int


class Unit(nn.Module):
    """1×1, 3×3 (which has the stride), 1×1, each normed, beside a shortcut."""

    def __init__(self, channels: Channels, stride: int) -> None:
        super().__init__()
        inputs, middle, outputs = channels.inputs, channels.middle, channels.outputs
        self.conv1, self.gn1 = StandardConv(inputs, middle, 1), _norm(middle)
        self.conv2, self.gn2 = StandardConv(middle, middle, 3, stride), _norm(middle)
        self.conv3, self.gn3 = StandardConv(middle, outputs, 1), _norm(outputs)
        self._has_projection = stride != 1 or inputs != outputs
        if self._has_projection:
            self.downsample = StandardConv(inputs, outputs, 1, stride)
            # A group of its own for every channel, and the usual epsilon: as trained.
            self.gn_proj = nn.GroupNorm(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H / stride, W / stride)."""
        kept = self.gn_proj(self.downsample(x)) if self._has_projection else x
        change = functional.relu(self.gn1(self.conv1(x)))
        change = functional.relu(self.gn2(self.conv2(change)))
        return functional.relu(kept + self.gn3(self.conv3(change)))


class ResNetV2(nn.Module):
    """(B, 3, S, S) → (B, 16 · width, S/16, S/16) and skips at S/8, S/4, S/2, deepest first."""

    def __init__(self, width: int = 64, units: tuple[int, int, int] = (3, 4, 9)) -> None:
        super().__init__()
        self.root = nn.Sequential(
            OrderedDict(conv=StandardConv(3, width, 7, 2), gn=_norm(width), relu=nn.ReLU(True))
        )
        self.body = nn.Sequential(
            OrderedDict(
                (f"block{number + 1}", _stage(number, width, count))
                for number, count in enumerate(units)
            )
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The deepest features, and the skips."""
        side, across = pictures.shape[-2:]
        skips = [self.root(pictures)]
        # Without padding, unlike other ResNets: a pixel is lost at S/4.
        x = functional.max_pool2d(skips[0], 3, 2)
        *upper, last = self.body
        for number, stage in enumerate(upper):
            x = stage(x)
            skips.insert(0, _padded(x, side // 4 // 2**number, across // 4 // 2**number))
        return last(x), skips


def _stage(number: int, width: int, count: int) -> nn.Sequential:
    middle = width * 2**number
    inputs, outputs = (width if number == 0 else 2 * middle), 4 * middle
    first = Unit(Channels(inputs, middle, outputs), 1 if number == 0 else 2)
    rest = [Unit(Channels(outputs, middle, outputs), 1) for _ in range(count - 1)]
    return nn.Sequential(
        OrderedDict((f"unit{i}", unit) for i, unit in enumerate([first, *rest], 1))
    )


def _padded(x: Tensor, height: int, width: int) -> Tensor:
    """Zeros below and to the right of a skip; the trunk goes on without them."""
    return functional.pad(x, (0, width - x.shape[-1], 0, height - x.shape[-2]))
