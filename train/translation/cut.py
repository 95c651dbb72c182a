"""CUT and FastCUT: one way only, each patch recognised by its content.

simulated ── G ──▶ translated       D judges G(x)
    │  encoder of G  │
    └── PatchNCE ────┘              a patch of G(x) must resemble the same patch of x, among others

Park et al. 2020 (arXiv:2007.15651). Half the networks of CycleGAN; what keeps the structure is the
contrast between patches. Its authors warn of invented content where the domains differ in what they
show, and suggest more weight on PatchNCE then. FastCUT also learns from mirrored pictures; the
released code then hands out mirrored translations, ours never does, because labels must fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.losses.adversarial import judgement, least_squares
from train.losses.contrastive import patch_nce
from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import Generator
from train.networks.projector import PatchProjector, draw_places
from train.translation import Batch, Descend, Translator, trainable

_LAYERS = (0, 4, 8, 12, 16)
"""Of the anti-aliased generator: the picture, both halvings, the first and fifth block."""
_FIRST_BLOCK = 12


@dataclass(frozen=True, slots=True)
class CutOptions:
    """The reference's defaults of CUT."""

    width: int = 64
    blocks: int = 9
    nce: float = 1.0
    """λ of PatchNCE."""
    is_identity_contrasted: bool = True
    """Real pictures go through G as well and keep their content."""
    temperature: float = 0.07
    patches: int = 256
    learning_rate: float = 2e-4


@dataclass(frozen=True, slots=True)
class FastCutOptions(CutOptions):
    """The reference's defaults of FastCUT."""

    nce: float = 10.0
    is_identity_contrasted: bool = False


class Cut(Translator):
    """A generator, a discriminator, and a projector that compares patches."""

    Options: ClassVar[type] = CutOptions

    def __init__(self, options: CutOptions = CutOptions()) -> None:
        super().__init__()
        self._options = options
        self.generator = Generator(options.width, options.blocks, is_antialiased=True)
        self.judge = PatchDiscriminator(options.width, is_antialiased=True)
        self._layers = [layer for layer in _LAYERS if layer < _FIRST_BLOCK + options.blocks]
        channels = [_channels(layer, options.width) for layer in self._layers]
        self.projector = PatchProjector(channels)
        self.apply(_xavier)
        learning = chain(self.generator.parameters(), self.projector.parameters())
        self._optimisers = {
            "generator": Adam(learning, options.learning_rate, betas=(0.5, 0.999)),
            "judge": Adam(self.judge.parameters(), options.learning_rate, betas=(0.5, 0.999)),
        }

    @property
    def product(self) -> nn.Module:
        """G."""
        return self.generator

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for G and the projector, one for D."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """G(x); there is one style."""
        translated: Tensor = self.generator(simulated)
        return translated

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """The discriminator first, then generator and projector."""
        made = self._made(batch)
        trainable([self.judge], True)
        scores = self.judge(torch.cat([batch.real, made["translated"].detach()]))
        judged = judgement(*scores.chunk(2))
        descend(self._optimisers["judge"], judged)
        trainable([self.judge], False)
        terms = self.generator_terms(batch, made)
        descend(self._optimisers["generator"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in {**terms, "judge": judged}.items()}

    def _made(self, batch: Batch) -> dict[str, Tensor]:
        """What G makes of a batch, in one pass."""
        if not self._options.is_identity_contrasted:
            return {"translated": self.generator(batch.simulated)}
        both = self.generator(torch.cat([batch.simulated, batch.real]))
        translated, identity = both.chunk(2)
        return {"translated": translated, "identity": identity}

    def generator_terms(self, batch: Batch, made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What G and the projector minimise, weighted."""
        translated = made["translated"]
        gan = least_squares(self.judge(translated), is_real=True)
        nce = self._options.nce * self.contrast(batch.simulated, translated, batch.seen)
        if "identity" not in made:
            return {"GAN": gan, "NCE": nce}
        identity = self.contrast(batch.real, made["identity"], batch.seen_real)
        return {"GAN": gan, "NCE": 0.5 * nce, "NCE identity": 0.5 * self._options.nce * identity}

    def contrast(self, pictures: Tensor, translated: Tensor, seen: Tensor) -> Tensor:
        """PatchNCE of pictures (B, 3, H, W) and what became of them, the mean over layers."""
        with torch.no_grad():
            of_source = self.generator.features(pictures, self._layers)
        of_translated = self._content(translated)
        places = draw_places(of_source, seen, self._options.patches)
        keys = self.projector(of_source, places)
        queries = self.projector(of_translated, places)
        terms = [
            patch_nce(query, key, self._options.temperature)
            for query, key in zip(queries, keys, strict=True)
        ]
        return torch.stack(terms).mean()

    def _content(self, translated: Tensor) -> list[Tensor]:
        return self.generator.features(translated, self._layers)


class FastCut(Cut):
    """CUT with more weight on patches and no identity; half of its pictures are mirrored.

    G(mirror x), mirrored back, must hold the content of x: G is asked to be equivariant.
    """

    Options: ClassVar[type] = FastCutOptions

    def __init__(self, options: FastCutOptions = FastCutOptions()) -> None:
        super().__init__(options)
        self._is_mirrored = False

    def _made(self, batch: Batch) -> dict[str, Tensor]:
        self._is_mirrored = bool(torch.rand(()) < 0.5)
        simulated = batch.simulated.flip(3) if self._is_mirrored else batch.simulated
        return {"translated": self.generator(simulated)}

    def _content(self, translated: Tensor) -> list[Tensor]:
        found = super()._content(translated)
        return [layer.flip(3) for layer in found] if self._is_mirrored else found

    def rate(self, share: float) -> float:
        """Flat for 150 of 200 passes, then to zero."""
        return min(1.0, 4 * (1 - share))


def _channels(layer: int, width: int) -> int:
    """Of what leaves a layer."""
    return {0: 3, 4: 2 * width}.get(layer, 4 * width)


def _xavier(layer: nn.Module) -> None:
    """As CUT begins: Glorot's normal weights times 0.02, no bias."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_normal_(layer.weight, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
