"""MUNIT, and the laparoscopic variant I2I: one content, many styles.

simulated ── E_s ──▶ content ──▶ decoder of real pictures ──▶ translated
real ── E_r ──▶ content, style       ▲
                          code ──────┘   drawn at random, of an example, or the default

Huang et al. 2018 (arXiv:1804.04732). Content and code must be found again in the translation;
that, and cycles, is all that keeps structure. Pfeiffer et al. 2019 (arXiv:1907.02882) narrow the
content to eight channels, give the simulated side no style, add noise to what is encoded, and hold
translations to the brightness of their source by MS-SSIM. The perceptual term is left out: off in
the reference's recipes, and not advised by its authors at 256 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.losses.adversarial import least_squares, masked_l1
from train.losses.ms_ssim import structure_loss
from train.networks.munit import MultiScaleDiscriminator, MunitGenerator, MunitShape
from train.translation import Batch, Descend, Translator, trainable


@dataclass(frozen=True, slots=True)
class MunitOptions:
    """The reference's defaults; cycles as its authors recommend where structure matters."""

    width: int = 64
    blocks: int = 4
    style: int = 8
    reconstruction: float = 10.0
    """Of pictures from their own content and style."""
    code: float = 1.0
    """Of content and style found again in translations."""
    cycle: float = 10.0
    learning_rate: float = 1e-4
    halvings: int = 10
    """Of the learning rate over the run: one every 100,000 of a million steps."""


class Encoded(NamedTuple):
    """Of a batch of one domain."""

    content: Tensor
    style: Tensor | None


class Munit(Translator):
    """Two generators that take pictures apart, two discriminators."""

    Options: ClassVar[type] = MunitOptions

    def __init__(self, options: MunitOptions = MunitOptions()) -> None:
        super().__init__()
        shape = MunitShape(options.width, options.blocks, options.style)
        self._build(options, MunitGenerator(shape), MunitGenerator(shape))

    def _build(
        self, options: MunitOptions, simulated: MunitGenerator, real: MunitGenerator
    ) -> None:
        self._options = options
        self.simulated, self.real = simulated, real
        self.judge_simulated = MultiScaleDiscriminator(options.width)
        self.judge_real = MultiScaleDiscriminator(options.width)
        self._optimisers = {
            "generators": self._adam(self.simulated, self.real),
            "discriminators": self._adam(self.judge_simulated, self.judge_real),
        }

    def _adam(self, *networks: nn.Module) -> Adam:
        weights = nn.ModuleList(networks).parameters()
        rate = self._options.learning_rate
        return Adam(weights, rate, betas=(0.5, 0.999), weight_decay=1e-4)

    @property
    def product(self) -> nn.Module:
        """The content of simulated pictures, the look of real ones."""
        real = self.real
        return nn.ModuleDict(
            {
                "content": self.simulated.enc_content, "style": real.enc_style,
                "mlp": real.mlp, "decoder": real.dec,
            }
        )  # fmt: skip

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for both generators, one for both discriminators."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """The default style is the middle of all: code zero. Examples (B, 3, H, W) are encoded."""
        content, _ = self.simulated.encode(simulated)
        if style is None:
            style = simulated.new_zeros(len(simulated), self.real.code_size)
        elif style.ndim == 4:
            _, style = self.real.encode(style)
        return self.real.decode(content, style)

    def random_styles(self, count: int, dice: torch.Generator) -> Tensor | None:
        """Codes (count, k) from N(0, 1), as in training."""
        return torch.randn(count, self.real.code_size, generator=dice)

    def rate(self, share: float) -> float:
        """Halved in steps."""
        return 0.5 ** int(self._options.halvings * share) if share < 1 else 0.0

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """Discriminators first, then generators, each with styles drawn anew."""
        judges = (self.judge_simulated, self.judge_real)
        trainable(judges, True)
        judged = self._judged(batch)
        descend(self._optimisers["discriminators"], judged)
        trainable(judges, False)
        terms = self.generator_terms(batch)
        descend(self._optimisers["generators"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in {**terms, "judges": judged}.items()}

    def _judged(self, batch: Batch) -> Tensor:
        """Both errors of both discriminators, over all scales; not halved, as in the reference."""
        count, device = len(batch.real), batch.real.device
        with torch.no_grad():
            content, _ = self.simulated.encode(batch.simulated)
            content_real, _ = self.real.encode(batch.real)
            translated = self.real.decode(content, self.real.draw(count, device))
            back = self.simulated.decode(content_real, self.simulated.draw(count, device))
        return (
            _least_squares(self.judge_real(batch.real), is_real=True)
            + _least_squares(self.judge_real(translated), is_real=False)
            + _least_squares(self.judge_simulated(batch.simulated), is_real=True)
            + _least_squares(self.judge_simulated(back), is_real=False)
        )

    def generator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """What both generators minimise, weighted."""
        to_real = self._way(self.simulated, self.real, (batch.simulated, batch.seen))
        to_simulated = self._way(self.real, self.simulated, (batch.real, batch.seen_real))
        terms = {
            "GAN real": _least_squares(self.judge_real(to_real.translated), is_real=True),
            "GAN simulated": _least_squares(
                self.judge_simulated(to_simulated.translated), is_real=True
            ),
        }
        for name in to_real.terms:
            terms[name] = to_real.terms[name] + to_simulated.terms[name]
        return terms | self.structure_terms(batch, to_real.translated, to_simulated.translated)

    def structure_terms(
        self, batch: Batch, translated: Tensor, simulated_like: Tensor
    ) -> dict[str, Tensor]:
        """What else keeps structure; nothing here."""
        return {}

    def _way(
        self, here: MunitGenerator, there: MunitGenerator, shown: tuple[Tensor, Tensor]
    ) -> Way:
        """Pictures and where they are seen, from one domain to the other and back."""
        pictures, seen = shown
        options = self._options
        own = Encoded(*here.encode(pictures))
        code = there.draw(len(pictures), pictures.device)
        translated = there.decode(own.content, code)
        found = Encoded(*there.encode(translated))
        same = masked_l1(here.decode(own.content, own.style), pictures, seen)
        again = (found.content - own.content).abs().mean()
        lost = pictures.new_zeros(())
        if code is not None and found.style is not None:
            lost = (found.style - code).abs().mean()
        terms = {
            "reconstruction": options.reconstruction * same,
            "content": options.code * again,
            "style": options.code * lost,
        }
        if options.cycle:
            reconstructed = here.decode(found.content, own.style)
            terms["cycle"] = options.cycle * masked_l1(reconstructed, pictures, seen)
        return Way(translated, terms)

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the look of the real picture beside it."""
        with torch.no_grad():
            return {
                "simulated": batch.simulated,
                "translated": self.translate(batch.simulated),
                "in this style": self.translate(batch.simulated, batch.real),
                "real": batch.real,
            }


class Way(NamedTuple):
    """From one domain to the other and back."""

    translated: Tensor
    terms: dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class I2IOptions:
    """MUNIT's, five halvings in 500,000 steps, and what keeps the structure."""

    munit: MunitOptions = field(default_factory=lambda: MunitOptions(halvings=5))
    bottleneck: int = 8
    noise: float = 0.1
    """Deviation of what is added to real pictures before they are encoded, in training only."""
    likeness_to_real: float = 5.0
    likeness_to_simulated: float = 3.0
    is_published: bool = False
    """MS-SSIM as a derivative of the authors' code computes it."""


class I2I(Munit):
    """MUNIT with a narrow content and MS-SSIM; simulated pictures have one style."""

    Options: ClassVar[type] = I2IOptions

    def __init__(self, options: I2IOptions = I2IOptions()) -> None:
        nn.Module.__init__(self)
        munit = options.munit
        real = MunitShape(munit.width, munit.blocks, munit.style, options.bottleneck)
        simulated = MunitShape(munit.width, munit.blocks, 0, options.bottleneck)
        self._likeness = options
        self._build(munit, MunitGenerator(simulated), MunitGenerator(real, options.noise))

    def structure_terms(
        self, batch: Batch, translated: Tensor, simulated_like: Tensor
    ) -> dict[str, Tensor]:
        """MS-SSIM of both translations with their sources."""
        options = self._likeness
        return {
            "MS-SSIM real": options.likeness_to_real
            * structure_loss(
                batch.simulated, translated, batch.seen, is_published=options.is_published
            ),
            "MS-SSIM simulated": options.likeness_to_simulated
            * structure_loss(
                batch.real, simulated_like, batch.seen_real, is_published=options.is_published
            ),
        }


def _least_squares(scores: list[Tensor], *, is_real: bool) -> Tensor:
    """Over scales, their sum."""
    return torch.stack([least_squares(each, is_real=is_real) for each in scores]).sum()
