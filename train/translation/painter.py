"""A trained translator that takes and gives pictures as they are on disk: uint8, of any size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.types import Image
from train.simulate.appearance import Rendering
from train.translation import Translator
from train.translation.product import About, open_product

_MULTIPLE = 8
"""Heights and widths that every translator accepts; what is missing is reflected, then cut off."""
_BATCH = 8


class Painter:
    """Translates on the GPU, if there is one."""

    def __init__(self, translator: Translator, about: About) -> None:
        self.about = about
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._translator = translator.to(self._device).eval()

    @classmethod
    def open(cls, folder: Path) -> Painter:
        """The translator of a folder.

        Raises:
            RecipeError: none there, or a damaged one.
        """
        return cls(*open_product(folder))

    @property
    def has_styles(self) -> bool:
        """Whether the translator knows more than one."""
        return self.styles(1, [0]) is not None

    def styles(self, count: int, seed: Sequence[int]) -> Tensor | None:
        """As many styles drawn at random, or None where the translator knows one only."""
        dice = torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**63)))
        return self._translator.random_styles(count, dice)

    def __call__(self, renderings: Sequence[Rendering], styles: Tensor | None = None) -> Image:
        """(n, H, W, 3) RGB; what lies outside the field of view stays as it was.

        Args:
            renderings: n simulated pictures of one size.
            styles: n of them, or None for the translator's own.
        """
        images = np.stack([rendering.image for rendering in renderings])
        # What covers the view, such as a tool, is part of the picture; labels alone end there.
        shown = np.stack([rendering.valid | rendering.hard for rendering in renderings])
        return np.where(shown[..., None], self._translated(images, styles), images)

    @torch.no_grad()
    def _translated(self, images: Image, styles: Tensor | None) -> Image:
        found = []
        for start in range(0, len(images), _BATCH):
            chosen = slice(start, start + _BATCH)
            pictures = torch.from_numpy(images[chosen]).to(self._device).permute(0, 3, 1, 2)
            style = None if styles is None else styles[chosen].to(self._device)
            found.append(self._padded(pictures / 127.5 - 1, style))
        scaled = ((torch.cat(found).float() + 1) * 127.5).round().clamp(0, 255)
        return np.ascontiguousarray(scaled.byte().permute(0, 2, 3, 1).cpu().numpy())

    def _padded(self, pictures: Tensor, style: Tensor | None) -> Tensor:
        height, width = pictures.shape[-2:]
        room = (0, -width % _MULTIPLE, 0, -height % _MULTIPLE)
        padded = functional.pad(pictures, room, mode="reflect")
        laid = padded.contiguous(memory_format=torch.channels_last)
        return self._translator.translate(laid, style)[..., :height, :width]
