"""TransUNet, R50-ViT-B/16 (Chen et al. 2021, arXiv:2102.04306).

    picture ─ ResNetV2 (strides 2, 4, 8, 16) ─ patches ─ transformer ─ up ─ up ─ up ─ up ─ logits
                  └────────└────────└───────────── skips ────────────┘────┘────┘

Layers have the names of the public checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.attention import EPSILON, Mlp
from train.networks.resnetv2 import ResNetV2

PATCH = 16
DROPOUT = 0.1


@dataclass(frozen=True, slots=True)
class TransUNetOptions:
    """The published network; tests use smaller ones."""

    classes: int = 2
    size: int = 224
    """Position embeddings are stored for this; others are resampled."""
    width: int = 768
    blocks: int = 12
    heads: int = 12
    stem: int = 64
    units: tuple[int, int, int] = (3, 4, 9)
    entry: int = 512
    """Channels with which the decoder begins."""
    decoder: tuple[int, int, int, int] = (256, 128, 64, 16)
    """Channels after each doubling."""


PUBLISHED = TransUNetOptions()
"""224 px, two classes."""


class Embeddings(nn.Module):
    """ResNet features as tokens with their positions."""

    def __init__(self, options: TransUNetOptions) -> None:
        super().__init__()
        self.hybrid_model = ResNetV2(options.stem, options.units)
        self.patch_embeddings = nn.Conv2d(16 * options.stem, options.width, 1)
        self._grid = options.size // PATCH
        self.position_embeddings = nn.Parameter(torch.zeros(1, self._grid**2, options.width))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 3, S, S) → tokens (B, (S/16)², C) and the skips, deepest first."""
        deep, skips = self.hybrid_model(pictures)
        tokens = self.patch_embeddings(deep).flatten(2).transpose(1, 2)
        tokens = tokens + self.positions(deep.shape[-2], deep.shape[-1])
        return functional.dropout(tokens, DROPOUT, self.training), skips

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, rows · columns, C), bilinear where the grid is another."""
        if rows == columns == self._grid:
            return self.position_embeddings
        grid = torch.unflatten(
            self.position_embeddings.transpose(1, 2), 2, (self._grid, self._grid)
        )
        resampled = functional.interpolate(
            grid, (rows, columns), mode="bilinear", align_corners=True
        )
        return resampled.flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Query, key and value from a linear map each."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self._heads = heads

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same."""
        query, key, value = (
            torch.unflatten(each(tokens), 2, (self._heads, -1)).transpose(1, 2)
            for each in (self.query, self.key, self.value)
        )
        seen = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """Attention and MLP, each normed before and added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, EPSILON)
        self.ffn_norm = nn.LayerNorm(width, EPSILON)
        self.ffn = Mlp(width, DROPOUT)
        self.attn = Attention(width, heads)
        for layer in (self.ffn.fc1, self.ffn.fc2):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.normal_(layer.bias, std=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same."""
        tokens = tokens + self.attn(self.attention_norm(tokens))
        found: Tensor = tokens + self.ffn(self.ffn_norm(tokens))
        return found


class Encoder(nn.Module):
    """The transformer's blocks and a last norm."""

    def __init__(self, options: TransUNetOptions) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            Block(options.width, options.heads) for _ in range(options.blocks)
        )
        self.encoder_norm = nn.LayerNorm(options.width, EPSILON)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same."""
        for block in self.layer:
            tokens = block(tokens)
        found: Tensor = self.encoder_norm(tokens)
        return found


def conv_relu(inputs: int, outputs: int) -> nn.Sequential:
    """3×3 without bias, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class UpBlock(nn.Module):
    """Doubles, joins a skip, convolves twice."""

    def __init__(self, inputs: int, skipped: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = conv_relu(inputs + skipped, outputs)
        self.conv2 = conv_relu(outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor | None) -> Tensor:
        """(B, C, h, w) and (B, D, 2h, 2w) or nothing → (B, outputs, 2h, 2w)."""
        x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)
        if skip is not None:
            x = torch.cat([x, skip], 1)
        found: Tensor = self.conv2(self.conv1(x))
        return found


class Decoder(nn.Module):
    """Tokens and skips → features at the picture's size."""

    def __init__(self, options: TransUNetOptions) -> None:
        super().__init__()
        self.conv_more = conv_relu(options.width, options.entry)
        skips = (8 * options.stem, 4 * options.stem, options.stem, 0)
        inputs = (options.entry, *options.decoder[:-1])
        self.blocks = nn.ModuleList(
            UpBlock(*channels) for channels in zip(inputs, skips, options.decoder, strict=True)
        )

    def forward(self, tokens: Tensor, skips: list[Tensor]) -> Tensor:
        """(B, N, C) → (B, channels, S, S); the first skip tells the grid: it is twice as fine."""
        rows, columns = (side // 2 for side in skips[0].shape[-2:])
        x: Tensor = self.conv_more(torch.unflatten(tokens.transpose(1, 2), 2, (rows, columns)))
        for block, skip in zip(self.blocks, [*skips, None], strict=True):
            x = block(x, skip)
        return x


class Transformer(nn.Module):
    """Embeddings and encoder under one name, as in checkpoints."""

    def __init__(self, embeddings: Embeddings, encoder: nn.Module) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder


class TransUNet(nn.Module):
    """(B, 3, S, S) or (B, 1, S, S), S a multiple of 16 → logits (B, classes, S, S)."""

    def __init__(self, options: TransUNetOptions = PUBLISHED) -> None:
        super().__init__()
        self.transformer = Transformer(Embeddings(options), Encoder(options))
        self.decoder = Decoder(options)
        self.segmentation_head = nn.Sequential(
            nn.Conv2d(options.decoder[-1], options.classes, 3, padding=1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits."""
        if pictures.shape[1] == 1:
            pictures = pictures.expand(-1, 3, -1, -1)
        tokens, skips = self.transformer.embeddings(pictures)
        logits: Tensor = self.segmentation_head(
            self.decoder(self.transformer.encoder(tokens), skips)
        )
        return logits
