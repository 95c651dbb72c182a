"""Shading steps: folds must stay visible where they are, and none may appear where there is none.

A step is the difference of brightness between both sides of a pixel, so that a fold's edge is one
and fine texture is not. Brightness is logarithmic: a step is a ratio, and dark regions count.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from train.losses.segmentation import weighted_mean

_DARK = 0.05
"""Added to brightness in [0, 1], so that noise in the dark is no step."""


def log_brightness(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) in [-1, 1] → (B, H, W) ln(mean of RGB in [0, 1] + 0.05)."""
    return torch.log((pictures.float().mean(1) + 1) / 2 + _DARK)


def steps(plane: Tensor, reach: int) -> Tensor:
    """(B, H, W) → (B, 2, H, W): right less left, below less above.

    Each side is the mean of a square of 2 · reach - 1 pixels, `reach` pixels away: a step between
    two flat regions keeps its height, and what is finer than the square averages out.
    """
    side = 2 * reach - 1
    padded = functional.pad(plane[:, None], (side,) * 4, mode="replicate")
    means = functional.avg_pool2d(padded, side, 1)
    height, width = plane.shape[1:]
    rows, columns = slice(reach, reach + height), slice(reach, reach + width)
    right, left = means[..., rows, 2 * reach :], means[..., rows, :width]
    below, above = means[..., 2 * reach :, columns], means[..., :height, columns]
    return torch.cat([right - left, below - above], dim=1)


def lost_edges(before: Tensor, after: Tensor, edge: Tensor) -> Tensor:
    """mean over edge pixels of max(0, |s| - s'·s/|s|): as dark to bright as it was, or more.

    Args:
        before: s, steps (B, 2, H, W) of the simulated pictures.
        after: s', of the translated ones.
        edge: (B, H, W) bool.
    """
    size = _size(before)
    along = (after * before).sum(1) / size
    return weighted_mean((size - along).clamp_min(0), edge.float())


def invented_edges(before: Tensor, after: Tensor, flat: Tensor, margin: float) -> Tensor:
    """mean over flat pixels of max(0, |s'| - |s| - margin): no stronger than it was.

    Args:
        before: steps (B, 2, H, W) of the simulated pictures.
        after: of the translated ones.
        flat: (B, H, W) bool, far from every fold.
        margin: what vessels and sheen may add.
    """
    return weighted_mean((_size(after) - _size(before) - margin).clamp_min(0), flat.float())


def flat_wall(fold: Tensor, edge: Tensor, seen: Tensor, reach: int) -> Tensor:
    """(B, H, W) bool: seen, and neither fold nor edge nor border within 2 · reach pixels."""
    taken = (fold | edge | ~seen)[:, None].float()
    near = functional.max_pool2d(taken, 4 * reach + 1, 1, 2 * reach)
    return near[:, 0] == 0


def _size(vectors: Tensor) -> Tensor:
    """(B, 2, H, W) → (B, H, W), with a gradient at zero."""
    return (vectors.square().sum(1) + 1e-8).sqrt()
