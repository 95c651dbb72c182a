"""What a depth network learns from true depth: the shape of a view first, its scale a little.

All take log depth, e = log d - log d*, and a mask; pictures without a valid pixel do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from train.losses.depth import scale_invariant

_SMALLEST = 1e-6
"""Keeps the slope of the root finite."""


@dataclass(frozen=True, slots=True)
class SupervisionWeights:
    """How much each term counts."""

    shape: float = 1.0
    gradient: float = 0.5
    scale_invariance: float = 0.85
    """λ of the shape term: 1 leaves the scale open; below, depth comes out in millimetres."""
    scales: int = 4
    """Of the gradient term: each halves the picture."""


def root_scale_invariant(error: Tensor, valid: Tensor, share: float) -> Tensor:
    """√(mean(e²) - λ·(mean e)²) of each picture (B, H, W), then the mean over pictures."""
    each = [
        scale_invariant(error[i : i + 1], valid[i : i + 1], share) for i in range(error.shape[0])
    ]
    shown = valid.flatten(1).any(1).to(error.dtype)
    roots = (torch.stack(each).clamp_min(0) + _SMALLEST).sqrt() * shown
    return roots.sum() / shown.sum().clamp_min(1)


def gradient_matching(error: Tensor, valid: Tensor, scales: int) -> Tensor:
    """Σ over scales of mean(|∂x e| + |∂y e|), both neighbours valid.

    Of log depth, after Li & Snavely 2018 (arXiv:1804.00607), equation (3): edges where the truth
    has them and nowhere else. Each scale keeps every second pixel of the one before.
    """
    total = error.new_zeros(())
    for _ in range(scales):
        across = (error[:, :, 1:] - error[:, :, :-1]).abs() * (valid[:, :, 1:] & valid[:, :, :-1])
        down = (error[:, 1:] - error[:, :-1]).abs() * (valid[:, 1:] & valid[:, :-1])
        total = total + (across.sum() + down.sum()) / valid.sum().clamp_min(1)
        error, valid = error[:, ::2, ::2], valid[:, ::2, ::2]
    return total


def depth_supervision(
    log_depth: Tensor, truth_mm: Tensor, weights: SupervisionWeights
) -> dict[str, Tensor]:
    """The weighted terms.

    Args:
        log_depth: (B, H, W) predicted.
        truth_mm: (B, H, W), 0 where unknown.
        weights: of the terms.
    """
    valid = truth_mm > 0
    error = torch.where(valid, log_depth - truth_mm.clamp_min(1e-6).log(), 0.0)
    return {
        "shape": weights.shape * root_scale_invariant(error, valid, weights.scale_invariance),
        "gradient": weights.gradient * gradient_matching(error, valid, weights.scales),
    }
