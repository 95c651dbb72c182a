"""Terms of translation between two domains that share no pictures."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def least_squares(scores: Tensor, *, is_real: bool) -> Tensor:
    """mean((D - t)²), t = 1 for what should count as real, else 0 (Mao et al. 2017, LSGAN)."""
    return (scores - float(is_real)).square().mean()


def judgement(of_real: Tensor, of_translated: Tensor) -> Tensor:
    """What a discriminator minimises: half of each error."""
    real = least_squares(of_real, is_real=True)
    return 0.5 * (real + least_squares(of_translated, is_real=False))


def masked_l1(pictures: Tensor, others: Tensor, seen: Tensor) -> Tensor:
    """mean |a - b| over channels and seen pixels: (B, 3, H, W) each, seen (B, H, W)."""
    weight = seen[:, None].to(pictures.dtype)
    total = ((pictures - others).abs() * weight).sum()
    return total / (weight.sum() * pictures.shape[1]).clamp_min(1)


class PicturePool(nn.Module):
    """Translated pictures of the last steps, so that a discriminator does not forget.

    Shrivastava et al. 2017: until it is full a picture goes in and comes out; then, with one
    chance in two, an older one comes out in its place. Its pictures are part of a checkpoint.
    """

    def __init__(self, size: int = 50, seed: int = 0) -> None:
        super().__init__()
        self._size = size
        self._kept: list[Tensor] = []
        self._draw = torch.Generator().manual_seed(seed)

    def swap(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → as many, some of them older, without gradients."""
        pictures = pictures.detach()
        if not self._size:
            return pictures
        return torch.stack([self._one(picture) for picture in pictures])

    def _one(self, picture: Tensor) -> Tensor:
        if len(self._kept) < self._size:
            self._kept.append(picture)
            return picture
        if torch.rand((), generator=self._draw) < 0.5:
            return picture
        at = int(torch.randint(self._size, (), generator=self._draw))
        older, self._kept[at] = self._kept[at].to(picture), picture
        return older

    def get_extra_state(self) -> dict[str, Any]:
        """Pictures and the state of the dice."""
        return {"kept": [picture.cpu() for picture in self._kept], "dice": self._draw.get_state()}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._kept = list(state["kept"])
        self._draw.set_state(state["dice"])
