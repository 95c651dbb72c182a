"""SPIGAN: what the simulator knows is privileged information, and networks that find it judge G.

simulated ── G ──▶ translated       D judges G(x)
     │                │
     └─▶ T, P ◀───────┘             T finds folds, P finds depth, in both; all learn together

Lee, Ros, Li and Gaidon 2018 (arXiv:1810.03756); no code of theirs is public. As in the paper the
errors of T and P on translated pictures reach G (a known re-implementation cuts them off, so that
they shape nothing). T and P are small U-Nets here. P learns beside G, where the depth critic of the
depth-consistent CycleGAN is fixed: G and P may agree on a code of their own. The perceptual term
needs the encoder of AdaIN (`options.weights`) and is off without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from train.losses.adversarial import judgement, least_squares
from train.losses.privileged import depth_error, fold_error
from train.networks.adain import Vgg
from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import Generator
from train.networks.unet import UNet
from train.translation import Batch, Descend, Translator, frozen, trainable
from train.translation.pretrained import open_parts

_PERCEIVED = (6, 13, 20, 33, 46)
"""Of VGG: the second activation of each stage."""


@dataclass(frozen=True, slots=True)
class SpiganOptions:
    """Weights as a public re-implementation has them."""

    width: int = 64
    blocks: int = 9
    head_width: int = 32
    """Of T and P."""
    gan: float = 1.0
    """α."""
    task: float = 0.5
    """β, of folds."""
    privileged: float = 0.1
    """γ, of depth."""
    perceptual: float = 0.0
    """δ; 0.33 in the re-implementation."""
    weights: str = ""
    """File by `haustra-train import adain`, for the perceptual term."""
    learning_rate: float = 2e-4


class Spigan(Translator):
    """A generator, a discriminator, a task network and a privileged network."""

    Options: ClassVar[type] = SpiganOptions

    def __init__(self, options: SpiganOptions = SpiganOptions()) -> None:
        super().__init__()
        self._options = options
        self.generator = Generator(options.width, options.blocks)
        self.judge = PatchDiscriminator(options.width)
        self.task, self.privileged = (UNet(1, options.head_width) for _ in range(2))
        learning = nn.ModuleList([self.generator, self.task, self.privileged]).parameters()
        self._optimisers = {
            "generator": Adam(learning, options.learning_rate, betas=(0.5, 0.999)),
            "judge": Adam(self.judge.parameters(), options.learning_rate, betas=(0.5, 0.999)),
        }
        if options.perceptual:
            self.vgg = Vgg(layers=_PERCEIVED[-1] + 1)
            frozen(self.vgg)

    def prepare(self) -> None:
        """The encoder of the perceptual term, if that has a weight.

        Raises:
            RecipeError: it is not named, or of another network.
        """
        if self._options.perceptual:
            open_parts({"vgg": self.vgg}, self._options.weights, ("adain",), needed=("vgg",))

    @property
    def product(self) -> nn.Module:
        """G, and T, which finds folds."""
        return nn.ModuleDict({"generator": self.generator, "task": self.task})

    @property
    def segmenter(self) -> nn.Module:
        """T."""
        return self.task

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for G, T and P, one for D."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """G(x); there is one style."""
        translated: Tensor = self.generator(simulated)
        return translated

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """The discriminator first, then G, T and P together."""
        translated = self.generator(batch.simulated)
        trainable([self.judge], True)
        judged = judgement(self.judge(batch.real), self.judge(translated.detach()))
        descend(self._optimisers["judge"], judged)
        trainable([self.judge], False)
        terms = self.generator_terms(batch, translated)
        descend(self._optimisers["generator"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in {**terms, "judge": judged}.items()}

    def generator_terms(self, batch: Batch, translated: Tensor) -> dict[str, Tensor]:
        """What G, T and P minimise, weighted."""
        options = self._options
        folds = self.task(torch.cat([batch.simulated, translated]))[:, 0].chunk(2)
        depths = self.privileged(torch.cat([batch.simulated, translated]))[:, 0].chunk(2)
        task = [fold_error(each, batch.fold, batch.seen) for each in folds]
        depth = [depth_error(each, batch.depth_mm, batch.seen) for each in depths]
        terms = {
            "GAN": options.gan * least_squares(self.judge(translated), is_real=True),
            "task simulated": options.task * task[0],
            "task translated": options.task * task[1],
            "privileged simulated": options.privileged * depth[0],
            "privileged translated": options.privileged * depth[1],
        }
        if options.perceptual:
            terms["perceptual"] = options.perceptual * self._perceived(batch.simulated, translated)
        return terms

    def _perceived(self, pictures: Tensor, translated: Tensor) -> Tensor:
        """Σ over layers of the mean absolute difference of features."""
        one, other = (
            self.vgg.features((each + 1) / 2, _PERCEIVED) for each in (pictures, translated)
        )
        terms = [functional.l1_loss(*pair) for pair in zip(one, other, strict=True)]
        return torch.stack(terms).sum()
