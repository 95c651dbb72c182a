"""Depth Anything V1 (Yang et al. 2024, arXiv:2401.10891) and V2 (arXiv:2406.09414).

DINOv2 under the head of DPT (Ranftl et al. 2021, arXiv:2103.13413). Both versions have the same
keys and shapes; they differ in the blocks that the head looks at. Weights of one with the taps of
the other give depth that looks right and is wrong: the version travels with the file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.dinov2 import PATCH, DinoV2

VERSIONS = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Size:
    """One of the published sizes."""

    width: int
    blocks: int
    features: int
    """Channels of the head."""
    levels: tuple[int, int, int, int]
    """Channels of the head's inputs."""
    taps_v2: tuple[int, int, int, int]

    def taps(self, version: str) -> tuple[int, ...]:
        """Blocks that the head looks at: the last four in V1, spread ones in V2."""
        if version == "v1":
            return tuple(range(self.blocks - 4, self.blocks))
        return self.taps_v2


SIZES = {
    "vits": Size(384, 12, 64, (48, 96, 192, 384), (2, 5, 8, 11)),
    "vitb": Size(768, 12, 128, (96, 192, 384, 768), (2, 5, 8, 11)),
    "vitl": Size(1024, 24, 256, (256, 512, 1024, 1024), (4, 11, 17, 23)),
}


class ResidualUnit(nn.Module):
    """x + conv(ReLU(conv(ReLU(x))))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same."""
        change = self.conv1(functional.relu(x))
        found: Tensor = x + self.conv2(functional.relu(change))
        return found


class Fusion(nn.Module):
    """Adds a finer level to a coarser one and enlarges the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(channels, channels, 1)
        self.resConfUnit1 = ResidualUnit(channels)
        self.resConfUnit2 = ResidualUnit(channels)

    def forward(self, x: Tensor, finer: Tensor | None, size: tuple[int, int]) -> Tensor:
        """(B, C, h, w) and (B, C, h, w) or nothing → (B, C, *size)."""
        if finer is not None:
            x = x + self.resConfUnit1(finer)
        x = _enlarged(self.resConfUnit2(x), size)
        fused: Tensor = self.out_conv(x)
        return fused


class Scratch(nn.Module):
    """The convolutions of the head, by the names that checkpoints have for them."""

    def __init__(self, levels: tuple[int, ...], features: int) -> None:
        super().__init__()
        for number, channels in enumerate(levels, 1):
            reduced = nn.Conv2d(channels, features, 3, padding=1, bias=False)
            setattr(self, f"layer{number}_rn", reduced)
            setattr(self, f"refinenet{number}", Fusion(features))
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1), nn.ReLU()
        )


class DptHead(nn.Module):
    """Four sets of tokens → one map."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        levels = size.levels
        self.projects = nn.ModuleList(nn.Conv2d(size.width, level, 1) for level in levels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(levels[0], levels[0], 4, 4),
                nn.ConvTranspose2d(levels[1], levels[1], 2, 2),
                nn.Identity(),
                nn.Conv2d(levels[3], levels[3], 3, 2, padding=1),
            ]
        )
        self.scratch = Scratch(levels, size.features)

    def forward(self, taps: list[Tensor], rows: int, columns: int) -> Tensor:
        """Tokens (B, rows · columns, C), four times → (B, 1, 14 · rows, 14 · columns)."""
        scratch = self.scratch
        maps: list[Tensor] = []
        for number, tokens in enumerate(taps):
            grid = torch.unflatten(tokens.transpose(1, 2), 2, (rows, columns))
            level = self.resize_layers[number](self.projects[number](grid))
            maps.append(getattr(scratch, f"layer{number + 1}_rn")(level))
        path: Tensor | None = None
        for number in range(4, 0, -1):
            here = maps[number - 1]
            size = _size(maps[number - 2]) if number > 1 else _double(here)
            fuse = getattr(scratch, f"refinenet{number}")
            path = fuse(here, None, size) if path is None else fuse(path, here, size)
        out = _enlarged(scratch.output_conv1(path), (PATCH * rows, PATCH * columns))
        found: Tensor = scratch.output_conv2(out)
        return found


class DepthAnything(nn.Module):
    """(B, 3, H, W), ImageNet-normalised → inverse depth (B, H, W), scale and shift unknown.

    Args:
        size: of `SIZES`.
        version: `v1` or `v2`.
    """

    def __init__(self, size: Size, version: str) -> None:
        super().__init__()
        if version not in VERSIONS:
            raise ValueError(f"unknown version {version!r}: {', '.join(VERSIONS)}")
        self.pretrained = DinoV2(size.width, size.blocks)
        self.depth_head = DptHead(size)
        self._taps = size.taps(version)

    def forward(self, pictures: Tensor) -> Tensor:
        """H and W multiples of 14."""
        height, width = pictures.shape[-2:]
        if height % PATCH or width % PATCH:
            raise ValueError(f"{height}×{width} is no multiple of {PATCH}")
        tokens = self.pretrained(pictures, self._taps)
        inverse: Tensor = self.depth_head(tokens, height // PATCH, width // PATCH)
        return inverse[:, 0]


def _enlarged(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size, mode="bilinear", align_corners=True)


def _size(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]


def _double(x: Tensor) -> tuple[int, int]:
    return 2 * x.shape[-2], 2 * x.shape[-1]
