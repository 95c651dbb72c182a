"""Checkpoints as their authors publish them, written in milliseconds.

A tensor of zeros that repeats one number takes no room in a file, whatever its shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Shapes = Mapping[str, tuple[int, ...]]


def tensors(shapes: Shapes) -> dict[str, Tensor]:
    return {name: torch.zeros(1).expand(shape) if shape else torch.zeros(())
            for name, shape in shapes.items()}  # fmt: skip


def numbered(shapes: Shapes) -> dict[str, Tensor]:
    """Small ones that can be told apart."""
    generator = torch.Generator().manual_seed(1)
    return {name: torch.rand(shape, generator=generator) for name, shape in shapes.items()}


def shapes_on_meta(build: Any, *arguments: Any, **named: Any) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network: nn.Module = build(*arguments, **named)
    return {name: tuple(each.shape) for name, each in network.state_dict().items()}


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path
