"""StyTR²: a transformer in place of AdaIN's exchange of means and deviations.

simulated ── patches ──▶ encoder ──▶ decoder ──▶ AdaIN's decoder ──▶ translated
real ─────── patches ──▶ encoder ──────┘

Deng et al. 2022 (arXiv:2105.14576). VGG (`options.weights`) is needed in training only, where it
says what content and style are; it is no part of the product. What keeps the structure is the
content loss, and that a picture in its own style must come out as it was. The default style is one
real picture, the first of the run: it travels with the product. Other examples give other looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from train.losses.style import content_loss, style_loss
from train.networks.adain import TAPS, Vgg, VggDecoder
from train.networks.stytr2 import PATCH, PatchEmbedding, StyleTransformer, StytrShape
from train.translation import Batch, Descend, Translator, frozen
from train.translation.pretrained import open_parts

_LAYERS = 44
"""Of VGG: up to relu5_1."""
_EXAMPLE_PX = 256


@dataclass(frozen=True, slots=True)
class StytrOptions:
    """The reference's defaults."""

    weights: str = ""
    """File by `haustra-train import stytr2`, or `import adain` for VGG alone; "random" for none."""
    width: int = 64
    """Of VGG; the transformer's is eight times that."""
    hidden: int = 2048
    layers: int = 3
    content: float = 7.0
    style: float = 10.0
    same_pixels: float = 70.0
    """Identity 1: a picture in its own style is that picture."""
    same_features: float = 1.0
    """Identity 2: the same, as VGG sees it."""
    learning_rate: float = 5e-5
    """Of the first step; it rises to four times as much."""


class Stytr(Translator):
    """Embedding, transformer and decoder learn; VGG is fixed."""

    Options: ClassVar[type] = StytrOptions

    def __init__(self, options: StytrOptions = StytrOptions()) -> None:
        super().__init__()
        self._options = options
        width = 8 * options.width
        self.embedding = PatchEmbedding(width)
        self.transformer = StyleTransformer(
            StytrShape(width, hidden=options.hidden, layers=options.layers)
        )
        self.decoder = VggDecoder(options.width)
        self.vgg = Vgg(options.width, _LAYERS)
        frozen(self.vgg)
        self.default = Example()
        learning = (self.embedding, self.transformer, self.decoder)
        weights = chain.from_iterable(network.parameters() for network in learning)
        self._optimisers = {"stylist": Adam(weights, options.learning_rate)}

    def prepare(self) -> None:
        """VGG, and what else of StyTR² the file has.

        Raises:
            RecipeError: no file named, or one of another network.
        """
        parts = {
            "vgg": self.vgg, "embedding": self.embedding, "transformer": self.transformer,
            "decoder": self.decoder,
        }  # fmt: skip
        open_parts(parts, self._options.weights, ("stytr2", "adain"), needed=("vgg",))

    @property
    def product(self) -> nn.Module:
        """All but VGG."""
        return nn.ModuleDict(
            {
                "embedding": self.embedding, "transformer": self.transformer,
                "decoder": self.decoder, "default": self.default,
            }
        )  # fmt: skip

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for all that learns."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """With the look of examples (B, 3, H, W)."""
        if style is None:
            style = self.default.picture.expand(len(simulated), -1, -1, -1)
        return self._styled(simulated, style).clamp(-1, 1)

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """One pair of content and style, and each in its own style."""
        self.default.keep(batch.real)
        terms = self._terms(batch.simulated, batch.real)
        descend(self._optimisers["stylist"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in terms.items()}

    def _terms(self, content: Tensor, style: Tensor) -> dict[str, Tensor]:
        options, count = self._options, len(content)
        sources = torch.cat([content, style])
        # One pass: content in the style, then both in their own.
        made = self._styled(torch.cat([content, sources]), torch.cat([style, sources]))
        translated, same = made[:count], made[count:]
        with torch.no_grad():
            seen = self._features(sources)
        of_content, of_style = ([each.chunk(2)[n] for each in seen] for n in (0, 1))
        found = self._features(translated)
        return {
            "content": options.content
            * content_loss(found[-2:], of_content[-2:], is_normalised=True),
            "style": options.style * style_loss(found, of_style),
            # Pixels in [0, 1]; content and style are two terms in the paper, hence twice.
            "identity 1": options.same_pixels * 2 * functional.mse_loss(same / 2, sources / 2),
            "identity 2": options.same_features * 2 * content_loss(self._features(same), seen),
        }

    def rate(self, share: float) -> float:
        """As in the reference over 160,000 steps: up to 4 within 10,000, then down slowly."""
        if share >= 1:
            return 0.0
        number = 160_000 * share
        return 1 + 3e-4 * number if number < 1e4 else 4 / (1 + 1e-5 * (number - 1e4))

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the look of the real picture beside it."""
        with torch.no_grad():
            return {
                "simulated": batch.simulated,
                "translated": self.translate(batch.simulated),
                "in this style": self.translate(batch.simulated, batch.real),
                "real": batch.real,
            }

    def _styled(self, content: Tensor, style: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] → about the same, whole patches and cut again."""
        height, width = content.shape[2:]
        padding = (0, -width % PATCH, 0, -height % PATCH)
        padded = functional.pad(content, padding, mode="replicate")
        embedded = [self.embedding((each + 1) / 2) for each in (padded, style)]
        pictures: Tensor = self.decoder(self.transformer(*embedded))[..., :height, :width]
        return 2 * pictures - 1

    def _features(self, pictures: Tensor) -> list[Tensor]:
        return self.vgg.features((pictures + 1) / 2, TAPS)


class Example(nn.Module):
    """The first picture that it is given, (1, 3, 256, 256); grey before."""

    picture: Tensor
    is_kept: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("picture", torch.zeros(1, 3, _EXAMPLE_PX, _EXAMPLE_PX))
        self.register_buffer("is_kept", torch.zeros((), dtype=torch.bool))

    def keep(self, pictures: Tensor) -> None:
        """Of (B, 3, H, W), the first, unless there is one."""
        if not self.is_kept:
            size = (_EXAMPLE_PX, _EXAMPLE_PX)
            self.picture.copy_(functional.interpolate(pictures[:1], size, mode="bilinear"))
            self.is_kept.fill_(True)
