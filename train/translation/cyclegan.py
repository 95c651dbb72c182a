"""CycleGAN, and the paper's: CycleGAN whose translation must keep its depth.

       ┌── G ──▶ translated ── F ──▶ reconstructed ≈ simulated     D_real judges G(x)
simulated                                                          D_simulated judges F(y)
   real ── F ──▶ simulated-looking ── G ──▶ reconstructed ≈ real   G(y) ≈ y, F(x) ≈ x

Zhu et al. 2017 (arXiv:1703.10593); depth consistency after Tomasini et al. 2024, equation (1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.depth import DepthEstimator
from train.losses.adversarial import PicturePool, judgement, least_squares, masked_l1
from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import Generator
from train.translation import Batch, Descend, Translator, trainable
from train.translation.depth_term import DepthOptions, DepthTerm


@dataclass(frozen=True, slots=True)
class CycleOptions:
    """The reference's defaults."""

    width: int = 64
    blocks: int = 9
    cycle: float = 10.0
    identity: float = 0.5
    """Of the cycle's weight."""
    pool: int = 50
    learning_rate: float = 2e-4


class CycleGAN(Translator):
    """Two generators, two discriminators."""

    Options: ClassVar[type] = CycleOptions

    def __init__(self, options: CycleOptions = CycleOptions()) -> None:
        super().__init__()
        self.to_real = Generator(options.width, options.blocks)
        self.to_simulated = Generator(options.width, options.blocks)
        self.judge_real = PatchDiscriminator(options.width)
        self.judge_simulated = PatchDiscriminator(options.width)
        self._options = options
        self.pool_real = PicturePool(options.pool)
        self.pool_simulated = PicturePool(options.pool, seed=1)
        self._optimisers = {
            "generators": self._adam(self.to_real, self.to_simulated),
            "discriminators": self._adam(self.judge_real, self.judge_simulated),
        }

    def _adam(self, *networks: nn.Module) -> Adam:
        weights = chain.from_iterable(network.parameters() for network in networks)
        return Adam(weights, self._options.learning_rate, betas=(0.5, 0.999))

    @property
    def product(self) -> nn.Module:
        """G."""
        return self.to_real

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for both generators, one for both discriminators."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """G(x); there is one style."""
        translated: Tensor = self.to_real(simulated)
        return translated

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """Generators first, with the discriminators held; then these, on pooled pictures."""
        judges = (self.judge_real, self.judge_simulated)
        trainable(judges, False)
        translated, simulated_like = self.to_real(batch.simulated), self.to_simulated(batch.real)
        terms = self.generator_terms(batch, translated, simulated_like)
        descend(self._optimisers["generators"], _total(terms))
        trainable(judges, True)
        terms_judges = {
            "judge real": judgement(
                self.judge_real(batch.real), self.judge_real(self.pool_real.swap(translated))
            ),
            "judge simulated": judgement(
                self.judge_simulated(batch.simulated),
                self.judge_simulated(self.pool_simulated.swap(simulated_like)),
            ),
        }
        descend(self._optimisers["discriminators"], _total(terms_judges))
        return {name: term.detach() for name, term in {**terms, **terms_judges}.items()}

    def generator_terms(
        self, batch: Batch, translated: Tensor, simulated_like: Tensor
    ) -> dict[str, Tensor]:
        """What both generators minimise, weighted."""
        options = self._options
        terms = {
            "GAN real": least_squares(self.judge_real(translated), is_real=True),
            "GAN simulated": least_squares(self.judge_simulated(simulated_like), is_real=True),
            "cycle simulated": options.cycle
            * masked_l1(self.to_simulated(translated), batch.simulated, batch.seen),
            "cycle real": options.cycle
            * masked_l1(self.to_real(simulated_like), batch.real, batch.seen_real),
        }
        if options.identity:
            weight = options.identity * options.cycle
            terms["identity"] = weight * (
                masked_l1(self.to_real(batch.real), batch.real, batch.seen_real)
                + masked_l1(self.to_simulated(batch.simulated), batch.simulated, batch.seen)
            )
        return terms

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the way back."""
        with torch.no_grad():
            translated = self.to_real(batch.simulated)
            return {
                "simulated": batch.simulated,
                "translated": translated,
                "reconstructed": self.to_simulated(translated),
                "real": batch.real,
            }


@dataclass(frozen=True, slots=True)
class DepthCycleOptions:
    """CycleGAN's options and those of the depth term."""

    cycle: CycleOptions = field(default_factory=CycleOptions)
    depth: DepthOptions = field(default_factory=DepthOptions)


class DepthCycleGAN(CycleGAN):
    """CycleGAN whose G(x) must have, for a frozen depth network, the depth that x has."""

    Options: ClassVar[type] = DepthCycleOptions

    def __init__(self, options: DepthCycleOptions, critic: DepthEstimator | None = None) -> None:
        super().__init__(options.cycle)
        self._depth = DepthTerm(options.depth, critic)

    def prepare(self) -> None:
        """Open the critic. What is trained translates without it.

        Raises:
            RecipeError: no such depth network, or its weights are missing.
        """
        self._depth.open()

    def generator_terms(
        self, batch: Batch, translated: Tensor, simulated_like: Tensor
    ) -> dict[str, Tensor]:
        """Those of CycleGAN and the depth of what G made; F has no part in it."""
        terms = super().generator_terms(batch, translated, simulated_like)
        return terms | self._depth(translated, batch)

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the depth that holds it, and that of what came out."""
        shown = super().shown(batch)
        return shown | self._depth.shown(shown["translated"], batch)


def _total(terms: Mapping[str, Tensor]) -> Tensor:
    return torch.stack(list(terms.values())).sum()
