"""From what a generator's layers say at some places to vectors that can be compared.

Park et al. 2020 (arXiv:2007.15651): a two-layer network for each layer of features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_UNSEEN = 1e-6
"""Weight of a place outside the field of view: drawn only when those inside have run out."""


class PatchProjector(nn.Module):
    """One head a layer: features (B, C, H, W) at places (B, S) → unit vectors (B, S, width).

    Args:
        channels: C of each layer.
        width: of the vectors (nc).
    """

    def __init__(self, channels: Sequence[int], width: int = 256) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(each, width), nn.ReLU(), nn.Linear(width, width))
            for each in channels
        )

    def forward(self, features: Sequence[Tensor], places: Sequence[Tensor]) -> list[Tensor]:
        """A tensor a layer."""
        return [
            functional.normalize(head(at_places(layer, where)), dim=-1)
            for head, layer, where in zip(self.heads, features, places, strict=True)
        ]


def at_places(features: Tensor, places: Tensor) -> Tensor:
    """(B, C, H, W) at flat pixel numbers (B, S) → (B, S, C)."""
    flat = features.flatten(2).transpose(1, 2)
    return flat.gather(1, places[..., None].expand(-1, -1, flat.shape[2]))


def draw_places(features: Sequence[Tensor], seen: Tensor, count: int) -> list[Tensor]:
    """Random flat pixel numbers (B, S) in each layer, no two alike, inside the field of view.

    Args:
        features: (B, C, H, W) each.
        seen: (B, H', W') bool, of the pictures.
        count: S at most; fewer where a layer is smaller.
    """
    places = []
    for layer in features:
        size = layer.shape[2:]
        weight = functional.interpolate(seen[:, None].float(), size=size).flatten(1)
        number = min(count, weight.shape[1])
        places.append(torch.multinomial(weight.clamp_min(_UNSEEN), number))
    return places
