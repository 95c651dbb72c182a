"""DINOv2's vision transformer with patches of 14 px (Oquab et al. 2023, arXiv:2304.07193)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from train.networks.attention import EPSILON, Mlp, SelfAttention

PATCH = 14
TRAINED_GRID = 37
"""Patches across the 518 px that position embeddings are stored for."""
_OFFSET = 0.1
"""Added to the wanted grid before dividing, as the reference does it: otherwise resampling could
come out a row short. Which pixels are read depends on it."""


class PatchEmbedding(nn.Module):
    """One token a patch."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, PATCH)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, H/14 · W/14, C)."""
        tokens: Tensor = self.proj(pictures)
        return tokens.flatten(2).transpose(1, 2)


class LayerScale(nn.Module):
    """A factor a channel (Touvron et al. 2021, arXiv:2103.17239)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., C) → the same."""
        return tokens * self.gamma


class Block(nn.Module):
    """Attention and MLP, each normed before, scaled after and added."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attn = SelfAttention(width, heads)
        self.ls1 = LayerScale(width)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.mlp = Mlp(width)
        self.ls2 = LayerScale(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, N, C) → the same."""
        tokens = tokens + self.ls1(self.attn(self.norm1(tokens)))
        found: Tensor = tokens + self.ls2(self.mlp(self.norm2(tokens)))
        return found


class DinoV2(nn.Module):
    """(B, 3, H, W), ImageNet-normalised, H and W multiples of 14 → tokens of some blocks."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + TRAINED_GRID**2, width))
        # Stands for hidden patches while DINOv2 is trained; kept because checkpoints hold it.
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = PatchEmbedding(width)
        self.blocks = nn.ModuleList(Block(width, width // 64) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, EPSILON)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.normal_(self.cls_token, std=1e-6)

    def positions(self, rows: int, columns: int) -> Tensor:
        """(1, 1 + rows · columns, C): bicubic, where the grid is not the one trained on."""
        if rows == columns == TRAINED_GRID:
            return self.pos_embed
        first, grid = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        grid = grid.reshape(1, TRAINED_GRID, TRAINED_GRID, -1).permute(0, 3, 1, 2)
        scale = ((rows + _OFFSET) / TRAINED_GRID, (columns + _OFFSET) / TRAINED_GRID)
        grid = functional.interpolate(grid, scale_factor=scale, mode="bicubic")
        return torch.cat([first, grid.permute(0, 2, 3, 1).flatten(1, 2)], 1)

    def forward(self, pictures: Tensor, taps: Sequence[int]) -> list[Tensor]:
        """What leaves the blocks numbered `taps`, normed, (B, H/14 · W/14, C) each."""
        rows, columns = (side // PATCH for side in pictures.shape[-2:])
        tokens = self.patch_embed(pictures)
        tokens = torch.cat([self.cls_token.expand(tokens.shape[0], -1, -1), tokens], 1)
        tokens = tokens + self.positions(rows, columns)
        found = []
        for number, block in enumerate(self.blocks):
            tokens = block(tokens)
            if number in taps:
                found.append(self.norm(tokens)[:, 1:])
        return found
