"""Terms of fold segmentation.

All take `weight` (any shape broadcastable to the logits), zero where a pixel does not count:
outside the field of view, outside a warped picture, or where nothing is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from train.losses.depth_supervision import SupervisionWeights, depth_supervision

_EPSILON = 1e-6


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """Σ w·v / Σ w, and 0 where the weights are all zero."""
    weight = weight.expand_as(values)
    return (values * weight).sum() / weight.sum().clamp_min(_EPSILON)


def cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Binary cross-entropy −t·log p − (1−t)·log(1−p), weighted mean over pixels."""
    values = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return weighted_mean(values, weight)


def dice(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """1 − (2·Σ w·p·t + 1) / (Σ w·p + Σ w·t + 1) per picture, mean over pictures (B, H, W).

    Pictures without any target do not count: cross-entropy answers for them.
    """
    probability = torch.sigmoid(logits) * weight
    truth = target * weight
    overlap = (probability * target).sum((1, 2))
    total = truth.sum((1, 2))
    score = (2 * overlap + 1) / (probability.sum((1, 2)) + total + 1)
    return weighted_mean(1 - score, (total > 0).float())


def balance(target: Tensor, weight: Tensor, largest: float = 8.0) -> Tensor:
    """Weights that let thin positives count: positives × min(√(negatives / positives), largest).

    The root is a compromise: full balance draws edges twice as wide as they are.
    """
    positives = (target * weight).sum()
    negatives = ((1 - target) * weight).sum()
    gain = (negatives / positives.clamp_min(1.0)).sqrt().clamp(1.0, largest)
    return weight * (1 + (gain - 1) * target)


def consistency(logits: Tensor, teacher: Tensor, weight: Tensor, confidence: float) -> Tensor:
    """Cross-entropy to the teacher's probability where |2p − 1| ≥ `confidence` (mean teacher).

    Tarvainen & Valpola 2017 (arXiv:1703.01780), with French et al.'s confidence threshold
    (arXiv:1706.05208). Averaged over all valid pixels, so that an unsure teacher teaches little.
    """
    sure = ((2 * teacher - 1).abs() >= confidence).float()
    values = functional.binary_cross_entropy_with_logits(logits, teacher, reduction="none")
    return weighted_mean(values * sure, weight)


def absence(logits: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy to "no fold here" where `weight` says that this is known."""
    return cross_entropy(logits, torch.zeros_like(logits), weight)


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term counts."""

    region_dice: float = 1.0
    region_entropy: float = 1.0
    edge_dice: float = 0.3
    edge_entropy: float = 0.5
    hard: float = 2.0
    """Extra weight of pixels known not to be fold: polyps, tools, debris."""
    depth: float = 0.3
    """Of networks with a third plane, the logarithm of depth."""


def supervised(
    logits: Tensor, labels: Tensor, distance: Tensor, weights: LossWeights
) -> dict[str, Tensor]:
    """The terms on simulated pictures, already weighted.

    Args:
        logits: (B, 2 or 3, H, W), fold region, fold edge, and perhaps the logarithm of depth.
        labels: (B, 4, H, W) floats 0/1: fold, edge, valid, hard.
        distance: (B, H, W) mm, 0 where it is not known.
        weights: of the terms.
    """
    region, edge = logits[:, 0], logits[:, 1]
    fold_truth, edge_truth, valid, hard = labels.unbind(1)
    weight = valid * (1 + weights.hard * hard)
    terms = {
        "region_dice": weights.region_dice * dice(region, fold_truth, weight),
        "region_entropy": weights.region_entropy * cross_entropy(region, fold_truth, weight),
        "edge_dice": weights.edge_dice * dice(edge, edge_truth, weight),
        "edge_entropy": weights.edge_entropy
        * cross_entropy(edge, edge_truth, balance(edge_truth, weight)),
    }
    if logits.shape[1] > 2:
        found = depth_supervision(logits[:, 2], distance * valid, SupervisionWeights())
        terms["depth"] = weights.depth * torch.stack(list(found.values())).sum()
    return terms
