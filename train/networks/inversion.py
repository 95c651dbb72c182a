"""InST's only part that learns: from what CLIP sees in a picture to a word that means its style.

Zhang et al. 2023 (arXiv:2211.13203). Entries have the names that the authors' module has.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class CrossAttention(nn.Module):
    """Attention as in latent diffusion: queries, keys and values without bias.

    Args:
        width: of what comes in and goes out.
        heads: how many.
        head_width: of each.
        dropout: of what goes out.
    """

    def __init__(self, width: int, heads: int, head_width: int, dropout: float) -> None:
        super().__init__()
        inner = heads * head_width
        self._heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, inner, bias=False) for _ in range(3))
        self.to_out = nn.Sequential(nn.Linear(inner, width), nn.Dropout(dropout))

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """x (B, n, width) looks at context (B, m, width), or at itself."""
        context = x if context is None else context
        query, key, value = (
            layer(each).unflatten(2, (self._heads, -1)).transpose(1, 2)
            for layer, each in ((self.to_q, x), (self.to_k, context), (self.to_v, context))
        )
        found = functional.scaled_dot_product_attention(query, key, value)
        return cast(Tensor, self.to_out(found.transpose(1, 2).flatten(2)))


class StyleWord(nn.Module):
    """CLIP's embedding of a picture (B, width) → the embedding of the placeholder (B, width)."""

    def __init__(
        self, width: int = 768, heads: int = 8, head_width: int = 64, dropout: float = 0.05
    ) -> None:
        super().__init__()
        self.attn1 = CrossAttention(width, heads, head_width, dropout)
        self.attn2 = CrossAttention(width, heads, head_width, dropout)
        self.net = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, width))

    def forward(self, seen: Tensor) -> Tensor:
        """A word a picture."""
        x = seen[:, None]
        return cast(Tensor, self.net(self.attn2(self.attn1(x), x)))[:, 0]


def prompt(vocabulary: int, length: int, placeholder: int | None) -> Tensor:
    """(length,) token numbers of a prompt of one word, or of none; ends fill the rest.

    CLIP's vocabulary has start and end as its last two entries.
    """
    start, end = vocabulary - 2, vocabulary - 1
    tokens = torch.full((length,), end)
    tokens[0] = start
    if placeholder is not None:
        tokens[1] = placeholder
    return tokens
