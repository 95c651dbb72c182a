"""Trains one segmenter; goes on where it stopped; on a processor, a GPU or several.

RUN/checkpoint.pt          everything to go on from
RUN/log.jsonl              losses over time, one object a line
RUN/validation.jpg         validation pictures: truth, and what was found
RUN/segmenter.safetensors  the product: weights and threshold

student ── learns from ──▶ simulated, translated or paired pictures (Dice, cross-entropy)
   │  ◀─── consistency ─── averaged teacher's mask of the same real picture, less disturbed

The second line is optional, after Endo-Sim2Real (Sahu et al. 2020, arXiv:2007.11514, and its
follow-up with a teacher, arXiv:2103.01593): no code of theirs is public. The teacher is then the
product.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from engine.errors import RecipeError
from train.checkpoints import checkpoint_of, log_progress, need_numbers, save_checkpoint
from train.data import RealSamples, endless, to_network
from train.loop import average
from train.losses.segmentation import balance, cross_entropy
from train.losses.two_classes import shape_disagreement, two_class_dice
from train.networks import build_network
from train.schedule import Progress, averaging_decay
from train.segmentation.product import Segmenter, save_segmenter
from train.segmentation.recipe import (
    DescentSettings,
    SegmentationBudget,
    SegmentationRecipe,
)
from train.segmentation.samples import Views, ViewSamples
from train.segmentation.validation import validated
from train.team import Team

CHECKPOINT, LOG, PRODUCT, SHEET = (
    "checkpoint.pt", "log.jsonl", "segmenter.safetensors", "validation.jpg",
)  # fmt: skip
_TELL_S = 15.0
Say = Callable[[str], None]
Batches = Iterator[tuple[Tensor, ...]]


@dataclass(frozen=True, slots=True)
class SegmentationPlaces:
    """Where pictures lie, and the run."""

    simulated: Path
    run: Path
    translated: Path | None = None
    real: Path | None = None
    """Unlabelled, for consistency."""


class SegmentationTrainer:
    """One run of one recipe. `run()` goes on from the last checkpoint, if any."""

    def __init__(self, recipe: SegmentationRecipe, places: SegmentationPlaces, say: Say) -> None:
        self._recipe, self._places, self._say = recipe, places, say
        self._team = Team.of_this_process()
        self._device = self._team.device()
        torch.manual_seed(recipe.seed)
        chosen = recipe.network
        network = build_network(chosen.name, pretrained=chosen.pretrained, weights=chosen.weights)
        self.student: nn.Module = network.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.teacher: nn.Module | None = None
        if recipe.terms.consistency:
            self.teacher = copy.deepcopy(self.student).requires_grad_(False).eval()
        self._optimiser = descent(self.student, recipe.descent)
        self._train_views, self._validation_views = (
            Views.of(recipe.drawing, split, places.simulated, places.translated)
            for split in ("train", "validation")
        )
        pictures = len(self._train_views.sources)
        self._views_a_step = max(1, recipe.drawing.batch // pictures)
        self._budget = self._in_steps()
        self._step, self._elapsed_s = 0, 0.0

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self._step, self._elapsed_s, self._budget)

    def run(self) -> Segmenter:
        """Train until the budget is spent; writes and returns the product.

        Raises:
            RecipeError: the folder holds a run of another recipe, a loss is no number any more,
                or consistency has no real pictures.
        """
        self._places.run.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.progress.fraction < 1:
            self._train(self._batches(), self._real_batches())
            self._save()
        return self._finished()

    def _train(self, views: Batches, real: Batches | None) -> None:
        began_s = time.monotonic() - self._elapsed_s
        saved_s, told_s = self._elapsed_s, self._elapsed_s - _TELL_S
        while self.progress.fraction < 1:
            terms = self._learn(next(views), None if real is None else next(real))
            self._elapsed_s = self._team.agreed(time.monotonic() - began_s, self._device)
            if self._elapsed_s - told_s > _TELL_S or self.progress.fraction >= 1:
                told_s = self._elapsed_s
                self._tell(terms)
            if self._elapsed_s - saved_s > 60 * self._recipe.budget.checkpoint_minutes:
                saved_s = self._elapsed_s
                self._save()

    def _learn(
        self, views: tuple[Tensor, ...], real: tuple[Tensor, ...] | None
    ) -> dict[str, Tensor]:
        """One step: forward, losses, backward, average."""
        # What a step draws at random depends on its number, so that a run goes on exactly.
        torch.manual_seed(self._team.dice(self._recipe.seed, self._step))
        settings = self._recipe.descent
        rate = settings.learning_rate * (1 - self.progress.fraction) ** settings.power
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self.student.train()
        images, labels = (each.flatten(0, 1) for each in views)
        pictures = [images] if real is None else [images, real[1]]
        logits = self._forward(self.student, torch.cat(pictures))
        terms = self._supervised(logits[: len(images)], labels.to(self._device).float())
        if real is not None:
            terms["consistency"] = self._consistency(logits[len(images) :, 0], real)
        self._optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._team.average(list(self.student.parameters()))
        self._optimiser.step()
        self._step += 1
        if self.teacher is not None:
            decay = averaging_decay(self._step, self._recipe.terms.averaging)
            average(self.teacher, self.student, decay)
        return terms

    def _supervised(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """(B, 2, H, W) against (B, 4, H, W): fold, edge, valid, hard."""
        weights = self._recipe.terms
        fold, edge, valid, _ = labels.unbind(1)
        terms = {
            "entropy": weights.entropy * cross_entropy(logits[:, 0], fold, valid),
            "dice": weights.dice * two_class_dice(logits[:, 0], fold, valid),
        }
        if weights.edge:
            balanced = balance(edge, valid)
            terms["edge"] = weights.edge * cross_entropy(logits[:, 1], edge, balanced)
        return terms

    def _consistency(self, logits: Tensor, real: tuple[Tensor, ...]) -> Tensor:
        """The student's mask of the disturbed picture against the teacher's of the other."""
        assert self.teacher is not None
        weak, _, masks = real
        with torch.no_grad():
            taught = self._forward(self.teacher, weak)[:, 0].sigmoid()
        visible = masks[:, 1].to(self._device).float()
        settings = self._recipe.terms
        ramp = min(1.0, self.progress.fraction / settings.ramp) if settings.ramp else 1.0
        weight = ramp * settings.consistency
        return weight * shape_disagreement(logits.sigmoid(), taught, visible)

    def _forward(self, network: nn.Module, images: Tensor) -> Tensor:
        is_short = self._recipe.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=is_short):
            logits: Tensor = network(to_network(images, self._device))
        return logits.float()

    def _batches(self) -> Batches:
        count, drawing = self._views_a_step, self._recipe.drawing
        samples = ViewSamples(self._train_views, count, self._recipe.seed, self._team)
        return endless(samples, count, self._step * count, drawing.workers)

    def _real_batches(self) -> Batches | None:
        if self.teacher is None:
            return None
        if self._places.real is None:
            raise RecipeError("terms.consistency needs real pictures.", "Name them: --real DIR.")
        # Every process draws its own.
        seed = self._recipe.seed + 1000 * self._team.rank
        samples = RealSamples(self._places.real, self._train_views.size, seed)
        if not len(samples):
            raise RecipeError(f"{self._places.real} has no real training frames.", "Fetch some.")
        count, drawing = self._recipe.drawing.batch // 2, self._recipe.drawing
        return endless(samples, count, self._step * count, min(1, drawing.workers))

    def _in_steps(self) -> SegmentationBudget:
        """The budget with epochs turned into steps, where nothing else is said."""
        budget = self._recipe.budget
        if budget.minutes or budget.steps:
            return budget
        views_a_step = self._views_a_step * self._team.size
        steps = max(1, round(budget.epochs * len(self._train_views) / views_a_step))
        return SegmentationBudget(steps=steps)

    def _finished(self) -> Segmenter:
        """The product with its threshold, which validation pictures choose."""
        network = (self.teacher or self.student).eval()
        has_edges = self._recipe.terms.edge > 0
        found = validated(Segmenter(network, 0.5, has_edges), self._validation_views)
        product = Segmenter(
            network, found.threshold, has_edges, found.edge_threshold, origin(self._recipe)
        )
        if self._team.rank == 0:
            found.save_sheet(self._places.run / SHEET)
            save_segmenter(self._places.run / PRODUCT, product, self._recipe.network.name)
            self._say(f"validation: IoU {found.mean_iou:.3f} at threshold {found.threshold:.2f}")
        return product

    def _tell(self, terms: dict[str, Tensor]) -> None:
        values = {name: float(term.detach()) for name, term in terms.items()}
        need_numbers(values, self._step)
        if self._team.rank:
            return
        log_progress(self._places.run / LOG, self._step, self._elapsed_s, {"losses": values})
        told = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        self._say(
            f"{self.progress.fraction:6.1%}  step {self._step}  "
            f"{self.progress.left_s / 60:.1f} min left  {told}"
        )

    def _save(self) -> None:
        if self._team.rank:
            return
        state = {
            "student": self.student.state_dict(),
            "teacher": None if self.teacher is None else self.teacher.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "elapsed_s": self._elapsed_s,
            "recipe": self._recipe.told(),
        }
        save_checkpoint(self._places.run / CHECKPOINT, state)

    def _resume(self) -> None:
        state = checkpoint_of(self._places.run / CHECKPOINT, self._recipe.told())
        if state is None:
            return
        self.student.load_state_dict(state["student"])
        if self.teacher is not None:
            self.teacher.load_state_dict(state["teacher"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._elapsed_s = state["step"], state["elapsed_s"]
        self._say(f"Going on from step {self._step} ({self._elapsed_s / 60:.1f} min done).")


def origin(recipe: SegmentationRecipe) -> str:
    """What a product says of its training: the same text, the same run."""
    return json.dumps(recipe.told() | {"budget": asdict(recipe.budget)}, sort_keys=True)


def descent(network: nn.Module, settings: DescentSettings) -> Optimizer:
    """SGD with momentum or AdamW over all that learns."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.kind == "adamw":
        return AdamW(weights, rate, weight_decay=decay)
    return SGD(weights, rate, momentum=0.9, weight_decay=decay)
