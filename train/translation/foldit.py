"""FoldIt: real pictures are painted with their folds in red, by two ways that must agree.

           G_B
   grey ◀───────▶ real        grey: simulated, without colour (B)
    │      G_A      │         real: A
    │ G_BC          │ G_AC    painted: grey with its folds red (C), known for what is simulated
    └──▶ painted ◀──┘

Mathew et al. 2021 (arXiv:2109.12573). No picture goes there and back: what is painted at once and
what is painted by way of the other domain must be the same (transitive loss). Folds are read off
the red channel; how much red is fold has no published answer, so validation pictures choose it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.losses.adversarial import judgement, least_squares, masked_l1
from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import Generator
from train.translation import Batch, Descend, Translator, trainable

_LUMINANCE = (0.299, 0.587, 0.114)
_DARKEST = 24 / 255
"""Red darker than this is measured as if it were as bright: in black there is no colour."""
_SUREST = 1e-4


@dataclass(frozen=True, slots=True)
class FolditOptions:
    """As published."""

    width: int = 80
    blocks: int = 9
    judge_width: int = 64
    adversarial: float = 1.0
    transitive: float = 10.0
    truth: float = 10.0
    identity: float = 1.0
    learning_rate: float = 2e-4


class Foldit(Translator):
    """Four generators, four discriminators."""

    Options: ClassVar[type] = FolditOptions

    def __init__(self, options: FolditOptions = FolditOptions()) -> None:
        super().__init__()
        self._options = options

        def generator() -> Generator:
            return Generator(options.width, options.blocks)

        self.to_grey, self.to_real = generator(), generator()
        self.paint_real, self.paint_grey = generator(), generator()
        self.judges = nn.ModuleDict(
            {name: PatchDiscriminator(options.judge_width) for name in _JUDGED}
        )
        makers = (self.to_grey, self.to_real, self.paint_real, self.paint_grey)
        self._optimisers = {
            "generators": self._adam(*makers),
            "discriminators": self._adam(self.judges),
        }

    def _adam(self, *networks: nn.Module) -> Adam:
        weights = chain.from_iterable(network.parameters() for network in networks)
        return Adam(weights, self._options.learning_rate, betas=(0.5, 0.999))

    @property
    def product(self) -> nn.Module:
        """G_B, which makes simulated pictures look real, and G_AC, which finds folds."""
        return nn.ModuleDict({"to_real": self.to_real, "paint_real": self.paint_real})

    @property
    def segmenter(self) -> nn.Module:
        """Paints, and reads the red."""
        return nn.Sequential(self.paint_real, Redness())

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for all generators, one for all discriminators."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """G_B of the picture without its colour; there is one style."""
        translated: Tensor = self.to_real(grey(simulated))
        return translated

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """Generators first, with the discriminators held; then these."""
        trainable([self.judges], False)
        made = self._made(batch)
        terms = self.generator_terms(batch, made)
        descend(self._optimisers["generators"], torch.stack(list(terms.values())).sum())
        trainable([self.judges], True)
        shown = grey(batch.simulated)
        truth = painted(shown, batch.fold)
        real = {"grey": shown, "real": batch.real, "painted real": truth, "painted grey": truth}
        judged = {
            f"judge {name}": judgement(judge(real[name]), judge(made[name].detach()))
            for name, judge in self.judges.items()
        }
        descend(self._optimisers["discriminators"], torch.stack(list(judged.values())).sum())
        return {name: term.detach() for name, term in {**terms, **judged}.items()}

    def _made(self, batch: Batch) -> dict[str, Tensor]:
        """What is judged, by the names of the judges."""
        shown = grey(batch.simulated)
        return {
            "grey": self.to_grey(batch.real),
            "real": self.to_real(shown),
            "painted real": self.paint_real(batch.real),
            "painted grey": self.paint_grey(shown),
        }

    def generator_terms(self, batch: Batch, made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the generators minimise, weighted."""
        options = self._options
        truth = painted(grey(batch.simulated), batch.fold)
        terms = {
            f"GAN {name}": options.adversarial
            * least_squares(self.judges[name](made[name]), is_real=True)
            for name in _JUDGED
        }
        by_grey, by_real = self.paint_grey(made["grey"]), self.paint_real(made["real"])
        seen, seen_real = batch.seen, batch.seen_real
        terms["transitive grey"] = options.transitive * masked_l1(
            made["painted grey"], by_real, seen
        )
        terms["transitive real"] = options.transitive * masked_l1(
            made["painted real"], by_grey, seen_real
        )
        terms["truth"] = options.truth * masked_l1(made["painted grey"], truth, seen)
        terms["identity"] = options.identity * (
            masked_l1(self.paint_real(truth), truth, seen)
            + masked_l1(self.paint_grey(truth), truth, seen)
        )
        return terms

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """With the painted ones."""
        with torch.no_grad():
            made = self._made(batch)
        return {
            "simulated": batch.simulated,
            "painted": painted(grey(batch.simulated), batch.fold),
            "painted grey": made["painted grey"],
            "real": batch.real,
            "painted real": made["painted real"],
        }


_JUDGED = ("grey", "real", "painted real", "painted grey")
"""What G_A, G_B, G_AC and G_BC make."""


def grey(pictures: Tensor) -> Tensor:
    """Luminance in all channels: (B, 3, H, W) → the same."""
    weights = torch.tensor(_LUMINANCE, device=pictures.device, dtype=pictures.dtype)
    return (pictures * weights[:, None, None]).sum(1, keepdim=True).expand_as(pictures)


def painted(pictures: Tensor, fold: Tensor) -> Tensor:
    """Folds (B, H, W) keep their red and lose green and blue: (B, 3, H, W) in [-1, 1]."""
    red = pictures.clone()
    red[:, 1:] = torch.where(fold[:, None], -1.0, pictures[:, 1:])
    return red


class Redness(nn.Module):
    """(B, 3, H, W) in [-1, 1] → logits (B, 1, H, W) of (R - max(G, B)) / R."""

    def forward(self, pictures: Tensor) -> Tensor:
        """`sigmoid` of it is the share of red that no other colour has."""
        red, others = (pictures[:, :1] + 1) / 2, (pictures[:, 1:].amax(1, keepdim=True) + 1) / 2
        share = (red - others) / red.clamp_min(_DARKEST)
        return torch.logit(share.clamp(_SUREST, 1 - _SUREST))
