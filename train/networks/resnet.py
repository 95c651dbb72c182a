"""ResNet (He et al. 2015, arXiv:1512.03385) as an encoder, by the names of public checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn
from torch.nn import functional


class _Block(Protocol):
    expansion: int

    def __call__(self, inputs: int, width: int, stride: int) -> nn.Module: ...


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, width, H / stride, W / stride)."""
        change = functional.relu(self.bn1(self.conv1(x)))
        change = self.bn2(self.conv2(change))
        kept = x if self.downsample is None else self.downsample(x)
        return functional.relu(change + kept)


class Bottleneck(nn.Module):
    """1×1, 3×3 (which has the stride), 1×1 to four times the width, beside a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = _shortcut(inputs, 4 * width, stride)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, 4 · width, H / stride, W / stride)."""
        change = functional.relu(self.bn1(self.conv1(x)))
        change = functional.relu(self.bn2(self.conv2(change)))
        change = self.bn3(self.conv3(change))
        kept = x if self.downsample is None else self.downsample(x)
        return functional.relu(change + kept)


@dataclass(frozen=True, slots=True)
class Depths:
    """Which block, and how many of it in each of the four layers."""

    block: _Block
    counts: tuple[int, int, int, int]


DEPTHS: dict[int, Depths] = {
    18: Depths(BasicBlock, (2, 2, 2, 2)),
    50: Depths(Bottleneck, (3, 4, 6, 3)),
}


class ResNet(nn.Module):
    """(B, inputs, H, W) → features at strides 2, 4, 8, 16, 32; H and W multiples of 32.

    Args:
        depth: 18 or 50.
        inputs: channels; 3 a picture.
    """

    def __init__(self, depth: int, inputs: int = 3) -> None:
        super().__init__()
        block, counts = DEPTHS[depth].block, DEPTHS[depth].counts
        self.conv1 = nn.Conv2d(inputs, 64, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.channels = (64, *(block.expansion * width for width in (64, 128, 256, 512)))
        before = 64
        for number, (width, count) in enumerate(zip((64, 128, 256, 512), counts, strict=True)):
            blocks = [block(before, width, 1 if number == 0 else 2)]
            before = block.expansion * width
            blocks += [block(before, width, 1) for _ in range(count - 1)]
            setattr(self, f"layer{number + 1}", nn.Sequential(*blocks))
        # ImageNet's classifier: never used, but public checkpoints of depth networks carry it.
        self.fc = nn.Linear(before, 1000)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Five feature maps with `channels` channels."""
        features = [functional.relu(self.bn1(self.conv1(x)))]
        x = functional.max_pool2d(features[0], 3, 2, padding=1)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
            features.append(x)
        return features
