"""Likeness of two pictures at five scales: MS-SSIM.

Wang, Simoncelli and Bovik 2003. With the means μ, variances σ² and covariance σ_ab in a window,

    l = (2 μ_a μ_b + C1) / (μ_a² + μ_b² + C1)    c = (2 σ_ab + C2) / (σ_a² + σ_b² + C2)
    MS-SSIM = mean(l c at scale 5)^w5 · Π over scales 1..4 of mean(c)^w

C1 = (0.01 L)², C2 = (0.03 L)², L the range of values.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _DEVIATION = 11, 1.5
_LEAST = 1e-4
"""What a smaller mean counts as (pictures opposite to each other): powers need a positive one."""


def ms_ssim(one: Tensor, other: Tensor, span: float = 2.0, *, is_published: bool = False) -> Tensor:
    """(B, H, W) and the same → (B,), 1 for the same picture.

    Args:
        one: brightness.
        other: brightness.
        span: L, of all values that occur.
        is_published: as the code of Rivoir et al. 2021 has it, for comparison: every mean v becomes
            (v + 1) / 2, and the last scale enters four times.
    """
    one, other = one[:, None], other[:, None]
    factors = []
    for scale, weight in enumerate(_WEIGHTS):
        if scale:
            one, other = functional.avg_pool2d(one, 2), functional.avg_pool2d(other, 2)
        similarity, contrast = _means(one, other, span)
        is_last = scale == len(_WEIGHTS) - 1
        value = similarity if is_last else contrast
        value = (value + 1) / 2 if is_published else value.clamp_min(_LEAST)
        times = len(_WEIGHTS) - 1 if is_last and is_published else 1
        factors.append(value ** (weight * times))
    return torch.stack(factors).prod(0)


def structure_loss(
    pictures: Tensor, translated: Tensor, seen: Tensor, *, is_published: bool = False
) -> Tensor:
    """1 - MS-SSIM of the brightness, the mean over pictures.

    Args:
        pictures: (B, 3, H, W) in [-1, 1].
        translated: what became of them.
        seen: (B, H, W) bool; outside, both are taken to be alike.
        is_published: see `ms_ssim`.
    """
    bright, bright_translated = (
        torch.where(seen, each.float().mean(1), 0.0) for each in (pictures, translated)
    )
    # A variance is a small difference of large numbers: half precision would lose it.
    with torch.autocast(bright.device.type, enabled=False):
        return 1 - ms_ssim(bright, bright_translated, is_published=is_published).mean()


def _means(one: Tensor, other: Tensor, span: float) -> tuple[Tensor, Tensor]:
    """(B, 1, H, W) each → means (B,) of l·c and of c over windows."""
    window = _window(min(_WINDOW, *one.shape[2:])).to(one)

    def blurred(plane: Tensor) -> Tensor:
        rows = functional.conv2d(plane, window[..., None])
        return functional.conv2d(rows, window[:, :, None])

    mean_one, mean_other = blurred(one), blurred(other)
    variances = blurred(one * one) - mean_one**2 + blurred(other * other) - mean_other**2
    covariance = blurred(one * other) - mean_one * mean_other
    first, second = (0.01 * span) ** 2, (0.03 * span) ** 2
    light = (2 * mean_one * mean_other + first) / (mean_one**2 + mean_other**2 + first)
    contrast = (2 * covariance + second) / (variances + second)
    return (light * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _window(size: int) -> Tensor:
    """(1, 1, size) Gaussian taps of sum 1."""
    at = torch.arange(size) - (size - 1) / 2
    taps = torch.exp(-(at**2) / (2 * _DEVIATION**2))
    return (taps / taps.sum())[None, None]
