"""StyTR²: patches of a picture look up what they should be like among the patches of another.

Deng et al. 2022 (arXiv:2105.14576). Entries have the names of the public checkpoints. Pictures need
not be square here, and a style may have another size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

PATCH = 8
_POSITIONS = 18
"""Content-aware positions are learned on a grid of this many patches each way."""


@dataclass(frozen=True, slots=True)
class StytrShape:
    """Sizes of the transformer."""

    width: int = 512
    heads: int = 8
    hidden: int = 2048
    layers: int = 3
    dropout: float = 0.1


class PatchEmbedding(nn.Module):
    """(B, 3, H, W) in [0, 1] → (B, width, H/8, W/8)."""

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, pictures: Tensor) -> Tensor:
        """A vector a patch."""
        return cast(Tensor, self.proj(pictures))


class EncoderLayer(nn.Module):
    """Self-attention and two linear layers, each added and then normed."""

    def __init__(self, shape: StytrShape) -> None:
        super().__init__()
        width = shape.width
        self.self_attn = _attention(shape)
        self.linear1, self.linear2 = _feed(shape)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, position: Tensor | None) -> Tensor:
        """x (B, n, width); positions go into queries and keys, not into values."""
        at = x if position is None else x + position
        x = self.norm1(x + self.dropout(self.self_attn(at, at, x, need_weights=False)[0]))
        change = self.linear2(self.dropout(functional.relu(self.linear1(x))))
        return cast(Tensor, self.norm2(x + self.dropout(change)))


class DecoderLayer(nn.Module):
    """Content asks, style answers: twice (`self_attn` is no self-attention), then linear layers."""

    def __init__(self, shape: StytrShape) -> None:
        super().__init__()
        width = shape.width
        self.self_attn, self.multihead_attn = _attention(shape), _attention(shape)
        self.linear1, self.linear2 = _feed(shape)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, content: Tensor, style: Tensor, position: Tensor) -> Tensor:
        """content (B, n, width) at positions of the same shape, style (B, m, width)."""
        x = content
        for attention, norm in ((self.self_attn, self.norm1), (self.multihead_attn, self.norm2)):
            answer = attention(x + position, style, style, need_weights=False)[0]
            x = norm(x + self.dropout(answer))
        change = self.linear2(self.dropout(functional.relu(self.linear1(x))))
        return cast(Tensor, self.norm3(x + self.dropout(change)))


class Encoder(nn.Module):
    """Layers in a row."""

    def __init__(self, shape: StytrShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.layers))

    def forward(self, x: Tensor, position: Tensor | None = None) -> Tensor:
        """(B, n, width) → the same."""
        for layer in self.layers:
            x = layer(x, position)
        return x


class Decoder(nn.Module):
    """Layers in a row, and a norm at the end."""

    def __init__(self, shape: StytrShape) -> None:
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, content: Tensor, style: Tensor, position: Tensor) -> Tensor:
        """(B, n, width) → the same."""
        for layer in self.layers:
            content = layer(content, style, position)
        return cast(Tensor, self.norm(content))


class StyleTransformer(nn.Module):
    """Embedded content (B, width, h, w) and style (B, width, h', w') → (B, width, h, w)."""

    def __init__(self, shape: StytrShape = StytrShape()) -> None:
        super().__init__()
        self.encoder_c, self.encoder_s = Encoder(shape), Encoder(shape)
        self.decoder = Decoder(shape)
        self.new_ps = nn.Conv2d(shape.width, shape.width, 1)
        for weight in self.parameters():
            if weight.ndim > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Features for the decoder of AdaIN."""
        position = _rows(self.positions(content))
        of_content = self.encoder_c(_rows(content), position)
        of_style = self.encoder_s(_rows(style))
        found = self.decoder(of_content, of_style, position)
        return cast(Tensor, found.transpose(1, 2).unflatten(2, content.shape[2:]))

    def positions(self, content: Tensor) -> Tensor:
        """Content-aware positional encoding (CAPE): what lies about, not where the pixel is."""
        pooled = functional.adaptive_avg_pool2d(content, _POSITIONS)
        return functional.interpolate(
            self.new_ps(pooled), size=content.shape[2:], mode="bilinear", align_corners=False
        )


def _rows(grid: Tensor) -> Tensor:
    """(B, C, h, w) → (B, h · w, C)."""
    return grid.flatten(2).transpose(1, 2)


def _attention(shape: StytrShape) -> nn.MultiheadAttention:
    return nn.MultiheadAttention(shape.width, shape.heads, shape.dropout, batch_first=True)


def _feed(shape: StytrShape) -> tuple[nn.Linear, nn.Linear]:
    return nn.Linear(shape.width, shape.hidden), nn.Linear(shape.hidden, shape.width)
