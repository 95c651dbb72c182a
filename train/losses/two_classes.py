"""What the paper's segmenters minimise, and a rival's consistency of shapes.

Two classes by softmax depend on the difference of their logits alone: here that is one logit of
fold, and `sigmoid` of it the probability. `weight` is zero where a pixel does not count.
"""

from __future__ import annotations

import torch
from torch import Tensor

from train.losses.segmentation import weighted_mean

_SMOOTH = 1e-5


def two_class_dice(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """1 - mean over {background, fold} of (2·Σpg + ε) / (Σp² + Σg² + ε), over the whole batch.

    As TransUNet is trained (Chen et al. 2021): (B, H, W) each, `target` 0 or 1.
    """
    probability = torch.sigmoid(logits)
    scores = [
        (2 * (weight * p * g).sum() + _SMOOTH)
        / ((weight * p * p).sum() + (weight * g * g).sum() + _SMOOTH)
        for p, g in ((probability, target), (1 - probability, 1 - target))
    ]
    return 1 - torch.stack(scores).mean()


def shape_disagreement(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    """1 - Σpq / (Σp² + Σq² - Σpq) of two probabilities, per picture, mean over (B, H, W).

    A soft Jaccard distance: 0 for equal masks, however unsure, 1 for masks that share nothing.
    Pictures in which nothing counts do not count.
    """
    shared = (weight * one * other).sum((1, 2))
    either = (weight * (one.square() + other.square())).sum((1, 2)) - shared
    distance = 1 - (shared + _SMOOTH) / (either + _SMOOTH)
    return weighted_mean(distance, (weight.sum((1, 2)) > 0).float())
