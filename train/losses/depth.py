"""Depth consistency: what keeps a translated picture the shape it had.

The frozen depth network looks at the translated picture; the simulator knows the truth of the
picture that was translated. Equation (1) of Tomasini et al. 2024, with e_i = log d_i - log d*_i,

    L = 1/n Σ e_i² - 1/(2 n²) (Σ e_i)²

is the scale-invariant error of Eigen et al. 2014 (arXiv:1406.2283) with λ = 1/2. Three variants
go by name: `paper` (as printed), `published` (as the released code computes it, for comparison) and
`robust` (ours).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

VARIANTS = ("paper", "published", "robust")

_ALPHA = 1e-7
"""Keeps the logarithm finite in the first two variants; a zero then weighs like e = 16."""
_SMALLEST_GAIN = 1e-3
"""An aligned map keeps its polarity: it is never turned over to fit better."""


@dataclass(frozen=True, slots=True)
class DepthPrediction:
    """What a depth network says of a batch."""

    values: Tensor
    """(B, H, W), positive."""
    is_inverse: bool
    """Larger is nearer, scale and shift unknown; else depth, of unknown scale."""


@dataclass(frozen=True, slots=True)
class DepthLossOptions:
    """Which variant, and what `robust` does."""

    variant: str = "robust"
    scale_invariance: float = 1.0
    """λ of `robust`: 1 ignores a global factor altogether, 1/2 only in part."""
    floor: float = 0.02
    """`robust` reads no inverse depth below this share of the picture's mean."""


def log_error(depth: Tensor, truth: Tensor, floor: float = _ALPHA) -> Tensor:
    """e = log(d + floor) - log(d* + floor), the shape of `depth`."""
    return torch.log(depth + floor) - torch.log(truth + floor)


def scale_invariant(error: Tensor, valid: Tensor, share: float) -> Tensor:
    """mean(e²) - λ·(mean e)² over the valid pixels of each picture (B, H, W), then over pictures.

    Pictures without a valid pixel do not count.
    """
    count = valid.sum((1, 2)).clamp_min(1)
    square = (error.square() * valid).sum((1, 2)) / count
    mean = (error * valid).sum((1, 2)) / count
    shown = valid.flatten(1).any(1).to(error.dtype)
    return ((square - share * mean.square()) * shown).sum() / shown.sum().clamp_min(1)


def published(depth: Tensor, truth: Tensor) -> Tensor:
    """mean(e²) - (mean |e|)² / 2 over all pixels of the batch, as the released code has it.

    With the mean of absolute values, a layout that is half too near and half too far costs no
    more than a global factor.
    """
    error = log_error(depth, truth)
    return error.square().mean() - 0.5 * error.abs().mean().square()


def align(inverse: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """a·x + b of each picture (B, H, W) that fits `truth` best where valid (least squares, a > 0).

    Ranftl et al. 2020 (arXiv:1907.01341), section 5.
    """
    count = valid.sum((1, 2), keepdim=True).clamp_min(1)
    mean = (inverse * valid).sum((1, 2), keepdim=True) / count
    mean_truth = (truth * valid).sum((1, 2), keepdim=True) / count
    offset, offset_truth = (inverse - mean) * valid, (truth - mean_truth) * valid
    variance = offset.square().sum((1, 2), keepdim=True)
    spread = offset_truth.square().sum((1, 2), keepdim=True)
    least = _SMALLEST_GAIN * (spread / variance.clamp_min(1e-12)).sqrt()
    gain = (offset * offset_truth).sum((1, 2), keepdim=True) / variance.clamp_min(1e-12)
    return torch.maximum(gain, least) * (inverse - mean) + mean_truth


def robust(
    prediction: DepthPrediction, truth_mm: Tensor, valid: Tensor, options: DepthLossOptions
) -> Tensor:
    """Scale-invariant error per picture, masked; inverse depth is first aligned in scale and shift.

    Args:
        prediction: of the translated pictures.
        truth_mm: (B, H, W) the simulator's depth; what it does not know is not valid.
        valid: (B, H, W) bool: inside the field of view, with a known depth.
        options: λ and floor.
    """
    known = valid & (truth_mm > 0)
    inverse_truth = torch.where(known, 1 / truth_mm.clamp_min(1e-6), 0.0)
    floor = _floor(inverse_truth, known, options.floor)
    inverse = _fitted(prediction, inverse_truth, known)
    error = torch.log(torch.maximum(inverse_truth, floor)) - torch.log(
        torch.maximum(inverse, floor)
    )
    return scale_invariant(torch.where(known, error, 0.0), known, options.scale_invariance)


def fitted_depth(
    prediction: DepthPrediction, truth_mm: Tensor, valid: Tensor, floor: float
) -> Tensor:
    """(B, H, W) mm: depth as predicted, its unknown factor or scale and shift as the truth has it.

    Args:
        prediction: of any kind.
        truth_mm: (B, H, W), 0 where unknown.
        valid: (B, H, W) bool, what may be compared.
        floor: no inverse depth is read below this share of the picture's mean.
    """
    known = valid & (truth_mm > 0)
    inverse_truth = torch.where(known, 1 / truth_mm.clamp_min(1e-6), 0.0)
    least = _floor(inverse_truth, known, floor).clamp_min(1e-6)
    return 1 / torch.maximum(_fitted(prediction, inverse_truth, known), least)


def _floor(inverse_truth: Tensor, known: Tensor, share: float) -> Tensor:
    """(B, 1, 1)."""
    count = known.sum((1, 2), keepdim=True).clamp_min(1)
    return share * inverse_truth.sum((1, 2), keepdim=True) / count


def _fitted(prediction: DepthPrediction, inverse_truth: Tensor, known: Tensor) -> Tensor:
    """(B, H, W) inverse depth, aligned with the truth as far as its network leaves it open."""
    if prediction.is_inverse:
        return align(prediction.values, inverse_truth, known)
    inverse = 1 / prediction.values.clamp_min(1e-6)
    # The unknown factor goes first: λ < 1 would punish it.
    return inverse * (
        inverse_truth.sum((1, 2), keepdim=True)
        / (inverse * known).sum((1, 2), keepdim=True).clamp_min(1e-12)
    )


def depth_consistency(
    prediction: DepthPrediction,
    truth_mm: Tensor,
    valid: Tensor,
    options: DepthLossOptions = DepthLossOptions(),
) -> Tensor:
    """The term of a named variant.

    `paper` and `published` take the values as they are; inverse depth reaches them as 1 less its
    share of the range, which is what the released code does (`as_released`).

    Raises:
        ValueError: unknown variant.
    """
    if options.variant == "robust":
        return robust(prediction, truth_mm, valid, options)
    depth = as_released(prediction.values) if prediction.is_inverse else prediction.values
    if options.variant == "paper":
        return scale_invariant(log_error(depth, truth_mm), valid, 0.5)
    if options.variant == "published":
        return published(depth, truth_mm)
    raise ValueError(f"unknown variant {options.variant!r}: {', '.join(VARIANTS)}")


def as_released(inverse: Tensor) -> Tensor:
    """1 - (x - min) / (max - min) over the whole batch: 0 at the nearest pixel, 1 at the farthest.

    Not proportional to depth; kept to reproduce the released code.
    """
    low, high = inverse.amin(), inverse.amax()
    return 1 - (inverse - low) / (high - low)
