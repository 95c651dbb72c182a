"""The training run: simulated pictures with labels, later unlabelled real ones too.

student ── learns from ──▶ simulated pictures (Dice, cross-entropy)
   │   ◀── consistency ── teacher's view of the same real picture, less disturbed
   │   ◀── distillation ─ what a larger network says of all these pictures, if one is named
   └─ averaged weights ─▶ teacher, which is validated and exported

Started by torchrun, every process draws its own pictures and all take the same step.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from train.checkpoints import checkpoint_of, log_progress, need_numbers, save_checkpoint
from train.data import RealSamples, Shares, SimulatedSamples, endless, frames_of, to_network
from train.gallery import Gallery
from train.losses.segmentation import absence, consistency, supervised
from train.networks import build_network
from train.recipe import OptimiserSettings, Recipe
from train.schedule import Progress, averaging_decay, learning_rate, real_ramp
from train.segmentation.product import Segmenter, open_segmenter
from train.simulate.dataset import Label, SimulatedSet
from train.team import Team
from train.validation import validate
from train.weights import about_weights

Say = Callable[[str], None]

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
GALLERY = "gallery"


@dataclass(frozen=True, slots=True)
class RunPlaces:
    """Where a run reads and writes."""

    simulated: Path
    run: Path
    real: Path | None = None


class Trainer:
    """One run of one recipe. `run()` goes on from the last checkpoint, if any."""

    def __init__(self, recipe: Recipe, places: RunPlaces, say: Say) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._places = places
        self._say = say
        self._team = Team.of_this_process()
        self._device = self._team.device()
        network = recipe.network
        student = build_network(
            network.name, pretrained=network.pretrained, weights=network.weights
        )
        self.student = student.to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        freeze_encoder(self.student, recipe.network.frozen_blocks)
        self.teacher: nn.Module = copy.deepcopy(self.student).requires_grad_(False).eval()
        self._tutor = (
            open_segmenter(Path(recipe.tutor.segmenter)) if recipe.tutor.segmenter else None
        )
        self._optimiser = build_optimiser(self.student, recipe.optimiser)
        self._began = began_with(network.weights)
        self._step = 0
        self._real_steps = 0
        self._elapsed_s = 0.0

    def run(self) -> nn.Module:
        """Train until the budget is spent; returns the averaged network (the teacher)."""
        self._places.run.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.progress.fraction >= 1:
            self._say("This run is complete.")
            return self.teacher
        unlabelled = self._real_samples()
        self._train(self._simulated_batches(unlabelled), self._real_batches(unlabelled))
        self._save()
        return self.teacher

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self._step, self._elapsed_s, self._recipe.budget)

    def _train(
        self,
        simulated: Iterator[tuple[Tensor, ...]],
        real: Iterator[tuple[Tensor, ...]] | None,
    ) -> None:
        budget = self._recipe.budget
        saved_s = told_s = validated_s = self._elapsed_s
        before_s = time.monotonic() - self._elapsed_s
        while self.progress.fraction < 1:
            ramp = real_ramp(self.progress.fraction, self._recipe.real) if real is not None else 0.0
            unlabelled = self._window(next(real)) if real is not None and ramp > 0 else None
            terms = self._learn(self._window(next(simulated)), unlabelled, ramp)
            self._elapsed_s = self._team.agreed(time.monotonic() - before_s, self._device)
            if self._elapsed_s - told_s > 15 or self._step <= 2:
                told_s = self._elapsed_s
                self._tell(terms)
            if self._elapsed_s - saved_s > 60 * budget.checkpoint_minutes:
                saved_s = self._elapsed_s
                self._save()
            if self._elapsed_s - validated_s > 60 * budget.validate_minutes:
                validated_s = self._elapsed_s
                self._validate()
        self._validate()

    def _learn(
        self, simulated: tuple[Tensor, ...], real: tuple[Tensor, ...] | None, ramp: float
    ) -> dict[str, Tensor]:
        """One step: forward, losses, backward, average."""
        rate = learning_rate(self.progress.fraction, self._recipe.optimiser)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        images, labels, distance = simulated
        pictures = [images] if real is None else [images, real[1]]
        self.student.train()
        logits = self._forward(self.student, to_network(torch.cat(pictures), self._device))
        count = images.shape[0]
        truth, depth = labels.to(self._device).float(), distance.to(self._device)
        terms = supervised(logits[:count], truth, depth, self._recipe.losses)
        if real is not None:
            terms |= self._real_terms(logits[count:, :2], real, ramp)
        if self._tutor is not None:
            terms["tutor"] = self._distilled(self._tutor, logits, simulated, real)
        self._optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        self._team.average(list(self.student.parameters()))
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        self._optimiser.step()
        self._step += 1
        self._real_steps += real is not None
        decay = averaging_decay(self._step, self._recipe.optimiser.averaging)
        average(self.teacher, self.student, decay)
        return terms

    def _real_terms(
        self, logits: Tensor, real: tuple[Tensor, ...], ramp: float
    ) -> dict[str, Tensor]:
        """Consistency with the teacher, and nothing where nothing can be."""
        settings = self._recipe.real
        with torch.no_grad():
            taught = self._forward(self.teacher, to_network(real[0], self._device))
            taught = taught[:, :2].sigmoid()
        valid, visible, absent = real[2].to(self._device).float().unbind(1)
        flat = (absent.sum((1, 2)) >= 0.99 * valid.sum((1, 2))).float()[:, None, None]
        unknown = (visible * (1 - absent))[:, None]
        return {
            "consistency": ramp
            * settings.consistency
            * consistency(logits, taught, unknown, settings.confidence),
            "polyp": ramp * settings.polyp * absence(logits, (absent * (1 - flat))[:, None]),
            "flat": ramp * settings.flat * absence(logits, (absent * flat)[:, None]),
        }

    def _distilled(
        self,
        tutor: Segmenter,
        logits: Tensor,
        simulated: tuple[Tensor, ...],
        real: tuple[Tensor, ...] | None,
    ) -> Tensor:
        """Cross-entropy to the tutor's probabilities (Hinton et al. 2015, arXiv:1503.02531).

        It sees the same simulated pictures, and real ones undisturbed.
        """
        views, seen = [simulated[0]], [simulated[1][:, 2]]
        if real is not None:
            views, seen = [*views, real[0]], [*seen, real[2][:, 1]]
        planes = 2 if tutor.has_edges else 1
        with torch.no_grad():
            taught = self._forward(tutor.network, to_network(torch.cat(views), self._device))
        visible = torch.cat(seen).to(self._device).float()[:, None]
        told = taught[:, :planes].sigmoid()
        return self._recipe.tutor.weight * consistency(logits[:, :planes], told, visible, 0.0)

    def _forward(self, network: nn.Module, images: Tensor) -> Tensor:
        is_short = self._recipe.budget.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=is_short):
            logits: Tensor = network(images)
        return logits.float()

    def _window(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The whole pictures; early in a run, if the recipe says so, a window of them."""
        settings, size = self._recipe.data, self._recipe.simulate.size
        if not settings.crop or self.progress.fraction >= settings.crop_until:
            return batch
        rng = np.random.default_rng([self._recipe.seed, 2, self._step])
        top, left = rng.integers(size - settings.crop + 1, size=2)
        rows, columns = slice(top, top + settings.crop), slice(left, left + settings.crop)
        return tuple(
            planes[:, rows, columns] if planes.shape[-1] == 3 else planes[..., rows, columns]
            for planes in batch
        )

    def _simulated_batches(self, unlabelled: RealSamples | None) -> Iterator[tuple[Tensor, ...]]:
        settings, seed = self._recipe.data, self._recipe.seed
        data = SimulatedSet(self._places.simulated, Label(settings.label))
        folder = self._places.run / GALLERY
        gallery = Gallery(data, settings.style, seed, settings.looks, folder, settings.others)
        lenders = unlabelled.views() if unlabelled is not None and settings.borrowed else []
        polyps = unlabelled.polyps() if unlabelled is not None and settings.pasted else []
        shares = Shares(settings.borrowed, settings.pasted, settings.straight)
        samples = SimulatedSamples(gallery, "train", seed, shares, lenders, polyps)
        start = self._step * settings.batch
        return endless(samples, settings.batch, start, settings.workers, self._team)

    def _real_samples(self) -> RealSamples | None:
        if not self._recipe.real.use:
            return None
        if self._places.real is None or not frames_of(self._places.real):
            self._say("No real frames: the run learns from simulated ones alone.")
            return None
        samples = RealSamples(self._places.real, self._recipe.simulate.size, self._recipe.seed)
        self._say(f"Real training frames: {samples.counts()}")
        return samples

    def _real_batches(self, samples: RealSamples | None) -> Iterator[tuple[Tensor, ...]] | None:
        if samples is None:
            return None
        batch, workers = self._recipe.real.batch, min(1, self._recipe.data.workers)
        return endless(samples, batch, self._real_steps * batch, workers, self._team)

    def _validate(self) -> None:
        if self._team.rank:
            return
        found = validate(self.teacher, self._places.simulated, self._recipe, self._device)
        found.save_sheet(self._places.run / "validation.png")
        self._log({"validation": found.summary()})
        self._say(f"validation {json.dumps(found.summary())}")

    def _tell(self, terms: dict[str, Tensor]) -> None:
        values = {name: round(float(term.detach()), 4) for name, term in terms.items()}
        need_numbers(values, self._step)
        if self._team.rank:
            return
        progress = self.progress
        self._log({"losses": values})
        told = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        batch = self._recipe.data.batch * self._team.size
        pace = progress.step * batch / max(1e-6, progress.elapsed_s)
        self._say(
            f"{progress.fraction:6.1%}  step {progress.step}  {pace:.1f} pictures/s  "
            f"{progress.left_s / 60:.1f} min left  {told}"
        )

    def _log(self, entry: dict[str, Any]) -> None:
        log_progress(self._places.run / LOG, self._step, self._elapsed_s, entry)

    def _save(self) -> None:
        if self._team.rank:
            return
        state = {
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "real_steps": self._real_steps,
            "elapsed_s": self._elapsed_s,
            "recipe": self._recipe.told(),
            "began": self._began,
        }
        save_checkpoint(self._places.run / CHECKPOINT, state)

    def _resume(self) -> None:
        state = checkpoint_of(self._places.run / CHECKPOINT, self._recipe.told())
        if state is None:
            return
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._real_steps = state["step"], state["real_steps"]
        self._began = state["began"]
        self._elapsed_s = state["elapsed_s"]
        self._say(f"Going on from step {self._step} ({self._elapsed_s / 60:.1f} min done).")


def began_with(weights: str) -> str:
    """The bundle that weights were imported from; "" for others, and where there are none."""
    return about_weights(Path(weights)).get("bundle", "") if weights else ""


def freeze_encoder(network: nn.Module, blocks: int) -> None:
    """Freeze the stem and `blocks` blocks of a network's `encoder`, where it has one."""
    freeze = getattr(getattr(network, "encoder", None), "freeze", None)
    if freeze is not None:
        freeze(blocks)


def build_optimiser(network: nn.Module, settings: OptimiserSettings) -> torch.optim.Optimizer:
    """AdamW; the encoder learns slower, norms and biases do not decay."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            share = settings.encoder_rate if name.startswith("encoder.") else 1.0
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((share, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "share": share, "weight_decay": decay}
            for (share, decay), parameters in groups.items()
        ],
        lr=settings.learning_rate,
    )


@torch.no_grad()
def average(teacher: nn.Module, student: nn.Module, decay: float) -> None:
    """teacher ← decay · teacher + (1 − decay) · student, statistics included."""
    taught, learnt = teacher.state_dict(), student.state_dict()
    for name, value in taught.items():
        if value.dtype.is_floating_point:
            value.lerp_(learnt[name], 1 - decay)
        else:
            value.copy_(learnt[name])
