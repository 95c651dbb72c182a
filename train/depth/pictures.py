"""Between the pictures of generators and the sizes that depth networks accept."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def grid_size(height: int, width: int, short: int, multiple: int) -> tuple[int, int]:
    """(height, width) with the short side near `short` px, both multiples of `multiple`.

    The aspect is kept as far as the multiples allow.
    """
    scale = short / min(height, width)
    rows, columns = (max(1, round(side * scale / multiple)) for side in (height, width))
    return rows * multiple, columns * multiple


def resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, H, W) → (B, C, *size), bilinear; smoothed where it shrinks."""
    if tuple(pictures.shape[-2:]) == size:
        return pictures
    return functional.interpolate(
        pictures, size, mode="bilinear", align_corners=False, antialias=True
    )


def back_to(values: Tensor, height: int, width: int) -> Tensor:
    """(B, h, w) → (B, height, width) float32, bilinear."""
    values = values.float()
    if values.shape[-2:] == (height, width):
        return values
    return functional.interpolate(
        values[:, None], (height, width), mode="bilinear", align_corners=False
    )[:, 0]
