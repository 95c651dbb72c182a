"""What vision transformers are made of (Dosovitskiy et al. 2020, arXiv:2010.11929)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-6
"""Of every layer norm."""


class SelfAttention(nn.Module):
    """Query, key and value from one linear map."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self._heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same; every token of a row looks at all of it."""
        batch, count, width = tokens.shape
        shape = (batch, count, 3, self._heads, width // self._heads)
        query, key, value = self.qkv(tokens).reshape(shape).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.proj(seen.transpose(1, 2).reshape(batch, count, width))
        return mixed


class Mlp(nn.Module):
    """Four times as wide in between, GELU, dropout after both maps."""

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self._dropout = dropout

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same."""
        hidden = functional.gelu(self.fc1(tokens))
        hidden = functional.dropout(hidden, self._dropout, self.training)
        return functional.dropout(self.fc2(hidden), self._dropout, self.training)


def drop_path(change: Tensor, rate: float, training: bool) -> Tensor:
    """Leave out a residual (B, ...) for some rows (Huang et al. 2016, arXiv:1603.09382)."""
    if not training or rate == 0:
        return change
    kept = torch.rand(change.shape[0], *[1] * (change.ndim - 1), device=change.device) >= rate
    return change * kept / (1 - rate)
