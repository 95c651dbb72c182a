"""AdaIN: the features of one picture with the means and deviations of another.

simulated ── VGG ──▶ content ── AdaIN ──▶ decoder ──▶ translated
real ── VGG ──▶ mean, deviation ──┘

Huang and Belongie 2017 (arXiv:1703.06868). VGG is fixed and comes from its authors
(`options.weights`); only the decoder learns. Where the file has theirs, it is the beginning: with a
learning rate of zero a run then only gathers the default style. No adversary: what keeps the
structure is the content loss. The default style is the mean over all real pictures of the run; it
travels with the product, and so do the last 16 of them, of which others are mixed. Means and
deviations are over whole pictures, field of view or not, as in the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.losses.style import content_loss, style_loss
from train.networks.adain import TAPS, Vgg, VggDecoder, adaptive_instance_norm, statistics
from train.translation import Batch, Descend, Translator, frozen
from train.translation.pretrained import open_parts

_LAYERS = 31
"""Of VGG: up to relu4_1."""
_REMEMBERED = 16
"""Styles of single pictures that travel with a product."""


@dataclass(frozen=True, slots=True)
class AdainOptions:
    """The reference's defaults."""

    weights: str = ""
    """File by `haustra-train import adain`; "random" for none."""
    width: int = 64
    content: float = 1.0
    style: float = 10.0
    alpha: float = 1.0
    """How much of the style a translation takes on, 0 to 1."""
    learning_rate: float = 1e-4


class StyleMemory(nn.Module):
    """The mean of all style statistics so far (2, C), and the last few of them (16, 2, C)."""

    mean: Tensor
    last: Tensor
    count: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        plain = torch.stack([torch.zeros(channels), torch.ones(channels)])
        self.register_buffer("mean", plain)
        self.register_buffer("last", plain.repeat(_REMEMBERED, 1, 1))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def gather(self, styles: Tensor) -> None:
        """(B, 2, C): take these in."""
        self.last.copy_(torch.cat([self.last, styles.detach().float()])[-_REMEMBERED:])
        self.count += len(styles)
        self.mean += (styles.detach().float() - self.mean).sum(0) / self.count


class Adain(Translator):
    """A fixed encoder, a decoder, and the mean style."""

    Options: ClassVar[type] = AdainOptions

    def __init__(self, options: AdainOptions = AdainOptions()) -> None:
        super().__init__()
        self._options = options
        self.encoder = Vgg(options.width, _LAYERS)
        frozen(self.encoder)
        self.decoder = VggDecoder(options.width)
        self.styles = StyleMemory(8 * options.width)
        self._optimisers = {"decoder": Adam(self.decoder.parameters(), options.learning_rate)}

    def prepare(self) -> None:
        """The authors' encoder, and their decoder if the file has it.

        Raises:
            RecipeError: no file named, or one of another network.
        """
        parts = {"vgg": self.encoder, "decoder": self.decoder}
        open_parts(parts, self._options.weights, ("adain",), needed=("vgg",))

    @property
    def product(self) -> nn.Module:
        """Encoder, decoder, default style and some others."""
        return nn.ModuleDict(
            {"encoder": self.encoder, "decoder": self.decoder, "styles": self.styles}
        )

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, of the decoder."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """With the look of examples (B, 3, H, W) or of statistics (B, 2C), means first."""
        (content,) = self._features(simulated, TAPS[3:4])
        if style is None:
            looks = self.styles.mean[None]
        elif style.ndim == 4:
            looks = statistics(self._features(style, TAPS[3:4])[0])
        else:
            looks = style.reshape(len(style), 2, -1)
        return self._decoded(self._blended(content, looks), simulated).clamp(-1, 1)

    def random_styles(self, count: int, dice: torch.Generator) -> Tensor | None:
        """Statistics (count, 2C): mixtures of two of the last real pictures of the run."""
        last = self.styles.last[-max(int(self.styles.count), 1) :].cpu()
        one, other = torch.randint(len(last), (2, count), generator=dice)
        share = torch.rand(count, 1, 1, generator=dice)
        return (share * last[one] + (1 - share) * last[other]).flatten(1)

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """The decoder learns one pair of content and style."""
        (content,) = self._features(batch.simulated, TAPS[3:4])
        example = self._features(batch.real, TAPS[:4])
        looks = statistics(example[-1])
        self.styles.gather(looks)
        wanted = adaptive_instance_norm(content, looks)
        made = self._features(self._decoded(wanted, batch.simulated), TAPS[:4])
        terms = {
            "content": self._options.content * content_loss([made[-1]], [wanted]),
            "style": self._options.style * style_loss(made, example),
        }
        descend(self._optimisers["decoder"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in terms.items()}

    def rate(self, share: float) -> float:
        """1 / (1 + 5e-5 i) for the reference's 160,000 steps."""
        return 1 / (1 + 8 * share) if share < 1 else 0.0

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the look of the real picture beside it."""
        with torch.no_grad():
            return {
                "simulated": batch.simulated,
                "translated": self.translate(batch.simulated),
                "in this style": self.translate(batch.simulated, batch.real),
                "real": batch.real,
            }

    def _blended(self, content: Tensor, looks: Tensor) -> Tensor:
        alpha = self._options.alpha
        return alpha * adaptive_instance_norm(content, looks) + (1 - alpha) * content

    def _features(self, pictures: Tensor, taps: tuple[int, ...]) -> list[Tensor]:
        return self.encoder.features((pictures + 1) / 2, taps)

    def _decoded(self, features: Tensor, like: Tensor) -> Tensor:
        """Pictures in about [-1, 1], cut to a size: VGG rounds sizes up."""
        height, width = like.shape[2:]
        pictures: Tensor = self.decoder(features)[..., :height, :width]
        return 2 * pictures - 1
