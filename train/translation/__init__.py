"""From simulated pictures to pictures that look real: translators by name.

A translator learns from pairs of batches that show nothing in common: simulated pictures with
everything the simulator knows of them, and real ones. It is trained by `train.translation.training`
step by step and applied by `train.translation.apply`. Words: G is simulated → real, F real →
simulated; G(x) is *translated*, F(G(x)) *reconstructed*, G(y) the *identity* of a real picture.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from engine.errors import RecipeError
from train.settings import settings_from

TRANSLATORS: dict[str, str] = {
    "cyclegan": "train.translation.cyclegan:CycleGAN",
    "depth-cyclegan": "train.translation.cyclegan:DepthCycleGAN",
    "cut": "train.translation.cut:Cut",
    "fastcut": "train.translation.cut:FastCut",
    "munit": "train.translation.munit:Munit",
    "i2i": "train.translation.munit:I2I",
    "adain": "train.translation.adain:Adain",
    "stytr2": "train.translation.stytr2:Stytr",
    "spigan": "train.translation.spigan:Spigan",
    "foldit": "train.translation.foldit:Foldit",
    "inst": "train.translation.inst:Inst",
    "structured": "train.translation.structured:Structured",
}
"""Name → "module:class" of a `Translator`; imported when built."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Simulated pictures with their truth, and as many real ones; floats unless stated."""

    simulated: Tensor
    """(B, 3, H, W) RGB in [-1, 1]."""
    real: Tensor
    """(B, 3, H, W) RGB in [-1, 1]; another scene each."""
    seen: Tensor
    """(B, H, W) bool: inside the field of view of the simulated pictures."""
    seen_real: Tensor
    """(B, H, W) bool: the same of the real ones."""
    depth_mm: Tensor
    """(B, H, W) along the ray, 0 where unknown."""
    normal: Tensor
    """(B, 3, H, W) unit, camera coordinates; 0 where unknown."""
    rays: Tensor
    """(B, 3, H, W) unit directions of the pixels, camera coordinates; 0 where unknown."""
    fold: Tensor
    """(B, H, W) bool."""
    edge: Tensor
    """(B, H, W) bool, near side of occluding edges of folds."""
    instances: Tensor
    """(B, H, W) int32, 0 for none."""

    def to(self, device: torch.device) -> Batch:
        """On another device."""
        moved = {each.name: getattr(self, each.name).to(device, non_blocking=True)
                 for each in fields(self)}  # fmt: skip
        return replace(self, **moved)


class Translator(nn.Module, ABC):
    """Networks that translate, and how they learn. Its state dict is what a checkpoint holds.

    Built as `Kind(Kind.Options(...))`.
    """

    Options: ClassVar[type]
    """A frozen dataclass of numbers, strings, booleans and further dataclasses."""

    def prepare(self) -> None:
        """Before the first step of a new run: open weights of others that the options name.

        A checkpoint or a product brings its own, so neither needs those files.

        Raises:
            RecipeError: a file is missing or of another network.
        """

    @property
    @abstractmethod
    def product(self) -> nn.Module:
        """What `translate` needs once training is over; the rest may be thrown away."""

    @abstractmethod
    def optimisers(self) -> Mapping[str, Optimizer]:
        """Named, made once; their state is kept in checkpoints."""

    @abstractmethod
    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """One optimisation step; returns the terms by the names of the paper, detached."""

    @abstractmethod
    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """(B, 3, H, W) in [-1, 1] → the same, looking real.

        Args:
            simulated: pictures.
            style: what to look like, for translators that have a choice: a code (B, k) or example
                pictures (B, 3, H, W); None for the default, which is the same every time.
        """

    def random_styles(self, count: int, dice: torch.Generator) -> Tensor | None:
        """As many styles for `translate`; None where there is only one."""
        return None

    def rate(self, share: float) -> float:
        """The learning rate at a share of the run, as a part of the first: flat, then to zero."""
        return min(1.0, 2 * (1 - share))

    def shown(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures (B, 3, H, W) for people, by title, in the order to show them."""
        with torch.no_grad():
            translated = self.translate(batch.simulated)
        return {"simulated": batch.simulated, "translated": translated, "real": batch.real}


@runtime_checkable
class FindsFolds(Protocol):
    """A translator that learns to segment beside; its product holds what that needs."""

    @property
    def segmenter(self) -> nn.Module:
        """(B, 3, H, W) in [-1, 1], looking real → logits (B, 1, H, W)."""
        ...


Descend = Callable[[Optimizer, Tensor], None]
"""Zero the gradients, go back through a loss, average over processes, take one step. Who calls
`step` passes it in: precision, gradient scaling and the number of GPUs are no translator's affair.
"""


def build_translator(name: str, settings: Mapping[str, Any] | None = None) -> Translator:
    """The translator called `name`.

    Raises:
        RecipeError: no such translator, or a setting that it does not have.
    """
    kind: Any = translator_kind(name)
    translator: Translator = kind(settings_from(kind.Options, settings or {}, name))
    return translator


def translator_kind(name: str) -> type[Translator]:
    """The class called `name`.

    Raises:
        RecipeError: no such translator.
    """
    if name not in TRANSLATORS:
        raise RecipeError(
            f"There is no translator called {name!r}.", f"Choose one of: {', '.join(TRANSLATORS)}."
        )
    module, attribute = TRANSLATORS[name].split(":")
    kind: type[Translator] = getattr(importlib.import_module(module), attribute)
    return kind


def frozen(network: nn.Module) -> nn.Module:
    """In evaluation mode, without gradients of its own; they still flow through it."""
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network


def trainable(networks: Iterable[nn.Module], on: bool) -> None:
    """Let gradients of these networks be computed, or not."""
    for network in networks:
        for parameter in network.parameters():
            parameter.requires_grad_(on)
