"""Ours: one way, many looks, and folds that stay where the simulator has them.

simulated, code ── G ──▶ translated      D judges G(x), both through one field of view
     │                       │
     ├── PatchNCE ───────────┤           patches are recognised by their content
     ├── depth ──────────────┤           a frozen depth network finds the simulator's depth
     ├── steps of shading ───┤           at edges of folds none is lost; on flat wall none appears
     ├── T ──────────────────┤           folds are found again by a network that learns beside G
     ├── moved tip ──────────┤           what moves in x moves in G(x), and nothing else does
     └────────── E ──────────┘           the code is found again; E(y) is the code of an example

Why it should beat its rivals: they hold structure by pictures alone (CycleGAN, CUT, MUNIT), or by
depth, which is smooth at thin folds (the paper's). The simulator knows edges and regions of folds
exactly, and these terms ask for them by name. There is no way back, so a step needs two passes of a
light generator instead of six of a heavy one. Every weight may be zero, for ablations; a term with
weight zero is not computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from train.depth import DepthEstimator
from train.losses.adversarial import judgement, least_squares, masked_l1
from train.losses.contrastive import patch_nce
from train.losses.motion import Movement, displacement, moved, still_seen
from train.losses.privileged import fold_error
from train.losses.structure import (
    flat_wall,
    invented_edges,
    log_brightness,
    lost_edges,
    steps,
)
from train.networks.discriminator import PatchDiscriminator
from train.networks.munit import MunitShape, StyleEncoder
from train.networks.projector import PatchProjector, draw_places
from train.networks.styled import StyledGenerator, StyledShape
from train.networks.unet import UNet
from train.translation import Batch, Descend, Translator, trainable
from train.translation.depth_term import DepthOptions, DepthTerm


@dataclass(frozen=True, slots=True)
class StructureOptions:
    """Of the terms that ask for folds."""

    lost: float = 5.0
    invented: float = 2.0
    margin: float = 0.1
    """Steps up to it may appear anywhere: a factor of 1.1 in brightness."""
    reach: int = 3
    """Of a step, pixels."""
    label: float = 0.5
    """Of folds found again by T."""
    label_width: int = 16


@dataclass(frozen=True, slots=True)
class ContrastOptions:
    """Of PatchNCE."""

    weight: float = 1.0
    temperature: float = 0.07
    patches: int = 256


@dataclass(frozen=True, slots=True)
class MotionOptions:
    """Of small movements of the tip, as from one frame of a video to the next."""

    weight: float = 0.0
    way_mm: float = 0.5
    """Deviation of what is drawn, a direction."""
    turn_rad: float = 0.02


@dataclass(frozen=True, slots=True)
class SpreadOptions:
    """Of styles that must differ."""

    weight: float = 0.0
    least: float = 0.1
    """Mean difference of two pictures (range 2) for a unit of difference of their codes."""


@dataclass(frozen=True, slots=True)
class StructuredOptions:
    """Sizes and weights."""

    width: int = 48
    content_blocks: int = 3
    style_blocks: int = 3
    code: int = 8
    judge_width: int = 64
    gan: float = 1.0
    identity: float = 5.0
    """Of real pictures, which in their own style must stay as they are."""
    style: float = 1.0
    """Of codes found again."""
    contrast: ContrastOptions = field(default_factory=ContrastOptions)
    structure: StructureOptions = field(default_factory=StructureOptions)
    depth: DepthOptions = field(default_factory=DepthOptions)
    motion: MotionOptions = field(default_factory=MotionOptions)
    spread: SpreadOptions = field(default_factory=SpreadOptions)
    learning_rate: float = 2e-4


class Structured(Translator):
    """A styled generator, a discriminator, and small networks that find code and folds again."""

    Options: ClassVar[type] = StructuredOptions

    def __init__(
        self, options: StructuredOptions = StructuredOptions(), critic: DepthEstimator | None = None
    ) -> None:
        super().__init__()
        self._options = options
        self.generator = StyledGenerator(
            StyledShape(options.width, options.content_blocks, options.style_blocks, options.code)
        )
        self.judge = PatchDiscriminator(options.judge_width, is_antialiased=True)
        self.encoder = StyleEncoder(MunitShape(max(options.width // 2, 2), style=options.code))
        self.projector = PatchProjector(self.generator.channels)
        self.folds = UNet(1, options.structure.label_width)
        self._depth = DepthTerm(options.depth, critic)
        learning = nn.ModuleList([self.generator, self.encoder, self.projector, self.folds])
        rate = options.learning_rate
        self._optimisers = {
            "generator": Adam(learning.parameters(), rate, betas=(0.5, 0.999)),
            "judge": Adam(self.judge.parameters(), rate, betas=(0.5, 0.999)),
        }

    def prepare(self) -> None:
        """Open the depth network now, so that a missing one is told before the first step.

        Raises:
            RecipeError: there is none of this name, or its weights are missing.
        """
        if self._options.depth.weight:
            self._depth.open()

    @property
    def product(self) -> nn.Module:
        """G, and E for the codes of examples."""
        return nn.ModuleDict({"generator": self.generator, "encoder": self.encoder})

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, one for all that serves G, one for D."""
        return self._optimisers

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """In a style given by codes (B, k) or examples (B, 3, H, W); by default code zero."""
        if style is None:
            style = simulated.new_zeros(len(simulated), self._options.code)
        elif style.ndim == 4:
            style = self.encoder(style)
        translated: Tensor = self.generator(simulated, style)
        return translated

    def random_styles(self, count: int, dice: torch.Generator) -> Tensor | None:
        """Codes (count, k) from N(0, 1), as in training."""
        return torch.randn(count, self._options.code, generator=dice)

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """The discriminator first, then G and its helpers."""
        code = torch.randn(len(batch.simulated), self._options.code, device=batch.real.device)
        codes = torch.cat([code, self.encoder(batch.real)])
        made = self.generator(torch.cat([batch.simulated, batch.real]), codes)
        translated, identity = made.chunk(2)
        both = batch.seen & batch.seen_real
        trainable([self.judge], True)
        judged = judgement(
            self.judge(_through(batch.real, both)),
            self.judge(_through(translated.detach(), both)),
        )
        descend(self._optimisers["judge"], judged)
        trainable([self.judge], False)
        options = self._options
        score = self.judge(_through(translated, both))
        terms = {"GAN": options.gan * least_squares(score, is_real=True)}
        if options.identity:
            same = masked_l1(identity, batch.real, batch.seen_real)
            terms["identity"] = options.identity * same
        terms |= self.style_terms(batch, translated, code)
        terms |= self.structure_terms(batch, translated)
        descend(self._optimisers["generator"], torch.stack(list(terms.values())).sum())
        return {name: term.detach() for name, term in {**terms, "judge": judged}.items()}

    def style_terms(self, batch: Batch, translated: Tensor, code: Tensor) -> dict[str, Tensor]:
        """What makes a style one, and steady: found again, unlike others, moving with the wall."""
        options = self._options
        terms = {}
        if options.style:
            terms["style"] = options.style * (self.encoder(translated) - code).abs().mean()
        if options.spread.weight:
            other = torch.randn_like(code)
            differs = masked_l1(self.generator(batch.simulated, other), translated, batch.seen)
            wanted = options.spread.least * (other - code).abs().mean()
            terms["spread"] = options.spread.weight * (wanted - differs).clamp_min(0)
        if options.motion.weight:
            terms["motion"] = options.motion.weight * self._unsteady(batch, translated, code)
        return terms

    def _unsteady(self, batch: Batch, translated: Tensor, code: Tensor) -> Tensor:
        """mean |G(Wx) - W G(x)| where W, a movement of the tip, leaves both in view."""
        options, shape = self._options.motion, (len(code), 3)
        tip = Movement(
            options.way_mm * torch.randn(shape, device=code.device),
            options.turn_rad * torch.randn(shape, device=code.device),
        )
        displaced, known = displacement(batch.rays, batch.depth_mm, tip)
        later = self.generator(moved(batch.simulated, displaced), code)
        seen = still_seen(batch.seen, displaced, known)
        return masked_l1(later, moved(translated.float(), displaced), seen)

    def structure_terms(self, batch: Batch, translated: Tensor) -> dict[str, Tensor]:
        """What holds G(x) to x, weighted; terms of weight zero are left out."""
        options = self._options
        terms = {}
        if options.contrast.weight:
            terms["NCE"] = options.contrast.weight * self._contrast(batch, translated)
        if options.structure.lost or options.structure.invented:
            terms |= self._shading(batch, translated)
        if options.structure.label:
            logits = self.folds(torch.cat([batch.simulated, translated]))[:, 0].chunk(2)
            errors = [fold_error(each, batch.fold, batch.seen) for each in logits]
            terms["label"] = options.structure.label * (errors[0] + errors[1])
        if options.depth.weight:
            terms |= self._depth(translated, batch)
        return terms

    def _shading(self, batch: Batch, translated: Tensor) -> dict[str, Tensor]:
        options = self._options.structure
        before, after = (
            steps(log_brightness(each), options.reach) for each in (batch.simulated, translated)
        )
        flat = flat_wall(batch.fold, batch.edge, batch.seen, options.reach)
        invented = invented_edges(before, after, flat, options.margin)
        return {
            "lost edges": options.lost * lost_edges(before, after, batch.edge & batch.seen),
            "invented edges": options.invented * invented,
        }

    def _contrast(self, batch: Batch, translated: Tensor) -> Tensor:
        options, taps = self._options.contrast, self.generator.taps
        with torch.no_grad():
            source = self.generator.features(batch.simulated, taps)
        found = self.generator.features(translated, taps)
        places = draw_places(source, batch.seen, options.patches)
        keys, queries = self.projector(source, places), self.projector(found, places)
        terms = [
            patch_nce(query, key, options.temperature)
            for query, key in zip(queries, keys, strict=True)
        ]
        return torch.stack(terms).mean()

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """In three styles: the default, another, the real picture's; with depth if that counts."""
        other = torch.ones(len(batch.real), self._options.code, device=batch.real.device)
        with torch.no_grad():
            shown = {
                "simulated": batch.simulated,
                "translated": self.translate(batch.simulated),
                "another style": self.translate(batch.simulated, other),
                "in this style": self.translate(batch.simulated, batch.real),
                "real": batch.real,
            }
        if self._options.depth.weight:
            shown |= self._depth.shown(shown["translated"], batch)
        return shown


def _through(pictures: Tensor, seen: Tensor) -> Tensor:
    """Black outside: the outline of the view tells D nothing."""
    return torch.where(seen[:, None], pictures, -1.0)
