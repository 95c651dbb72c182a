"""What the simulator knows and a network must still find in a translated picture."""

from __future__ import annotations

import torch
from torch import Tensor

from train.losses.segmentation import balance, cross_entropy, weighted_mean

_LEAST_MM = 1e-3


def depth_error(log_depth: Tensor, truth_mm: Tensor, seen: Tensor) -> Tensor:
    """mean |log d - log d*| where a depth is known: (B, H, W) each, `seen` bool."""
    error = (log_depth - torch.log(truth_mm.clamp_min(_LEAST_MM))).abs()
    return weighted_mean(error, (seen & (truth_mm > 0)).float())


def fold_error(logits: Tensor, fold: Tensor, seen: Tensor) -> Tensor:
    """Cross-entropy over what is seen, folds weighing more: (B, H, W) each, the last two bool."""
    target = fold.float()
    return cross_entropy(logits, target, balance(target, seen.float()))
