"""EndoFM-TransUNet: TransUNet whose transformer is Endo-FM's (Wang et al. 2023, arXiv:2306.16741).

Endo-FM's blocks attend to time and space in turn (Bertasius et al. 2021, arXiv:2102.05095):

    tokens ─ every place over its frames ─(+)─ every frame over its places ─(+)─ MLP ─(+)─

The public segmenter takes its batch axis for time: pictures that were only stacked to be computed
together look at each other. `mode="reference"` keeps this, to compare with it; `mode="clip"` has
clips as (B, T, ...), and single pictures keep to themselves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from train.networks.attention import EPSILON, Mlp, SelfAttention, drop_path
from train.networks.transunet import (
    PATCH,
    PUBLISHED,
    Decoder,
    Embeddings,
    Transformer,
    TransUNetOptions,
)

MODES = ("reference", "clip")
REFERENCE_SIZE = 224
DROP_PATH = 0.1
"""Of the last block; the first has none."""


class SpaceTimeBlock(nn.Module):
    """Divided attention over a clip."""

    def __init__(self, width: int, heads: int, drop: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attn = SelfAttention(width, heads)
        self.temporal_norm1 = nn.LayerNorm(width, EPSILON)
        self.temporal_attn = SelfAttention(width, heads)
        self.temporal_fc = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.mlp = Mlp(width)
        self._drop = drop
        nn.init.zeros_(self.temporal_fc.weight)
        nn.init.zeros_(self.temporal_fc.bias)

    def forward(self, clip: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Class token (B, C) and patches (B, T, N, C) → the same."""
        patches = patches + self._over_time(patches)
        clip_change, change = self._over_space(clip, patches)
        clip, patches = clip + clip_change, patches + change
        tokens = torch.cat([clip[:, None], patches.flatten(1, 2)], 1)
        tokens = tokens + drop_path(self.mlp(self.norm2(tokens)), self._drop, self.training)
        return tokens[:, 0], tokens[:, 1:].reshape(patches.shape)

    def _over_time(self, patches: Tensor) -> Tensor:
        """Every place over the frames of its clip. Alone, a frame still passes the value's map."""
        batch, frames, places, width = patches.shape
        by_place = patches.transpose(1, 2).reshape(batch * places, frames, width)
        change = self.temporal_attn(self.temporal_norm1(by_place))
        change = self.temporal_fc(drop_path(change, self._drop, self.training))
        found: Tensor = change.reshape(batch, places, frames, width).transpose(1, 2)
        return found

    def _over_space(self, clip: Tensor, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Every frame over its places and a copy of the class token, which then is averaged."""
        batch, frames, places, width = patches.shape
        copies = clip[:, None, None].expand(batch, frames, 1, width)
        tokens = torch.cat([copies, patches], 2).flatten(0, 1)
        change = drop_path(self.attn(self.norm1(tokens)), self._drop, self.training)
        change = change.reshape(batch, frames, 1 + places, width)
        return change[:, :, 0].mean(1), change[:, :, 1:]


class SpaceTimeEncoder(nn.Module):
    """Endo-FM's blocks, its last norm and its class token."""

    def __init__(self, options: TransUNetOptions) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, options.width))
        rates = torch.linspace(0, DROP_PATH, options.blocks, device="cpu").tolist()
        self.layer = nn.ModuleList(
            SpaceTimeBlock(options.width, options.heads, rate) for rate in rates
        )
        self.encoder_norm = nn.LayerNorm(options.width, EPSILON)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def forward(self, patches: Tensor) -> Tensor:
        """(B, T, N, C) → the same."""
        clip = self.cls_token[:, 0].expand(patches.shape[0], -1)
        for block in self.layer:
            clip, patches = block(clip, patches)
        found: Tensor = self.encoder_norm(patches)
        return found


class EndoFMTransUNet(nn.Module):
    """Logits of every frame.

    Args:
        options: of TransUNet.
        mode: `reference`: (T, 3, 224, 224) is one clip of T frames; `clip`: (B, T, 3, S, S) are
            B clips and (B, 3, S, S) B single pictures, S any multiple of 16.
    """

    def __init__(self, options: TransUNetOptions = PUBLISHED, mode: str = "clip") -> None:
        super().__init__()
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}: {', '.join(MODES)}")
        self.mode = mode
        self.transformer = Transformer(Embeddings(options), SpaceTimeEncoder(options))
        self.decoder = Decoder(options)
        self.segmentation_head = nn.Sequential(
            nn.Conv2d(options.decoder[-1], options.classes, 3, padding=1)
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """(..., 3, S, S) → (..., classes, S, S).

        Raises:
            ValueError: a size or a number of axes that the mode does not take.
        """
        clips = self._as_clips(pictures)
        batch, frames = clips.shape[:2]
        tokens, skips = self.transformer.embeddings(clips.flatten(0, 1))
        tokens = torch.unflatten(tokens, 0, (batch, frames))
        tokens = self.transformer.encoder(tokens).flatten(0, 1)
        logits: Tensor = self.segmentation_head(self.decoder(tokens, skips))
        return torch.unflatten(logits, 0, tuple(pictures.shape[:-3]))

    def _as_clips(self, pictures: Tensor) -> Tensor:
        """(B, T, 3, S, S)."""
        height, width = pictures.shape[-2:]
        if self.mode == "reference":
            if pictures.ndim != 4 or (height, width) != (REFERENCE_SIZE, REFERENCE_SIZE):
                raise ValueError(
                    f"reference mode takes (T, 3, {REFERENCE_SIZE}, {REFERENCE_SIZE}), "
                    f"not {tuple(pictures.shape)}"
                )
            return pictures[None]
        if height % PATCH or width % PATCH:
            raise ValueError(f"{height}×{width} is no multiple of {PATCH}")
        if pictures.ndim == 5:
            return pictures
        if pictures.ndim != 4:
            raise ValueError(f"clip mode takes 4 or 5 axes, not {pictures.ndim}")
        return pictures[:, None]
