"""Style and content as a fixed network sees them.

Huang and Belongie 2017 (arXiv:1703.06868), equations (12) and (13).
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from train.networks.adain import normalised, statistics


def style_loss(features: Sequence[Tensor], example: Sequence[Tensor]) -> Tensor:
    """Σ over layers of MSE(means) + MSE(deviations); (B, C, H, W) each, sizes may differ."""
    terms = [
        2 * functional.mse_loss(statistics(one), statistics(other))
        for one, other in zip(features, example, strict=True)
    ]
    return sum(terms[1:], terms[0])


def content_loss(
    features: Sequence[Tensor], wanted: Sequence[Tensor], *, is_normalised: bool = False
) -> Tensor:
    """Σ over layers of the mean square difference.

    `is_normalised`: after taking means and deviations away, as StyTR² does.
    """
    terms = []
    for one, other in zip(features, wanted, strict=True):
        if is_normalised:
            one, other = normalised(one), normalised(other)
        terms.append(functional.mse_loss(one, other))
    return sum(terms[1:], terms[0])
