"""Trains the colon depth network on simulated pictures; goes on where it stopped.

RUN/checkpoint.pt              everything to go on from
RUN/log.jsonl                  losses and validation over time, one object a line
RUN/sheet.jpg                  pictures, true depth, predicted depth
RUN/colon-depth.safetensors    the averaged network, half precision: what the estimator opens
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from train.checkpoints import checkpoint_of, log_progress, need_numbers, save_checkpoint
from train.data import Counting, to_network
from train.depth.accuracy import FIGURES, measure
from train.depth.colon import ColonEstimator, save_colon
from train.depth.known import known_depths
from train.depth.pictures import grid_size
from train.depth.recipe import DepthRecipe
from train.depth.samples import DepthSample, DepthSamples
from train.depth.sheet import depth_sheet
from train.loop import average, build_optimiser
from train.losses.depth_supervision import depth_supervision
from train.networks.colon_depth import STRIDE, build_colon_depth
from train.schedule import Progress, averaging_decay, learning_rate
from train.sheets import save_picture
from train.simulate.dataset import SimulatedSet

CHECKPOINT, LOG, SHEET, PRODUCT = (
    "checkpoint.pt", "log.jsonl", "sheet.jpg", "colon-depth.safetensors",
)  # fmt: skip
_TELL_S = 15.0
_SHOWN = 6

Say = Callable[[str], None]


class DepthTrainer:
    """One run of one recipe. `run()` goes on from the last checkpoint, if any."""

    def __init__(self, recipe: DepthRecipe, data: SimulatedSet, run: Path, say: Say) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe, self._data, self._run, self._say = recipe, data, run, say
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network = build_colon_depth(pretrained=recipe.pretrained).to(self._device)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.encoder.freeze(recipe.frozen_blocks)
        self.averaged = copy.deepcopy(self.network).requires_grad_(False).eval()
        self._optimiser = build_optimiser(self.network, recipe.optimiser)
        self._step, self._elapsed_s = 0, 0.0

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self._step, self._elapsed_s, self._recipe.budget)

    def run(self) -> Path:
        """Train until the budget is spent; returns the product.

        Raises:
            RecipeError: the folder holds a run of another recipe, or the set lacks frames.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.progress.fraction < 1:
            self._train(self._batches())
            self._save()
        side = self._data.frame(*self._data.frames("train")[0]).depth_mm.shape[0]
        short, _ = grid_size(side, side, side, STRIDE)
        return save_colon(self._run / PRODUCT, self.averaged, short, self._recipe.name)

    def _batches(self) -> Iterator[DepthSample]:
        drawing = self._recipe.drawing
        samples = DepthSamples(self._data, "train", drawing, self._recipe.seed)
        loader = DataLoader(
            samples,
            batch_size=drawing.batch,
            sampler=Counting(self._step * drawing.batch),
            num_workers=drawing.workers,
            worker_init_fn=_single_threaded,
            prefetch_factor=4 if drawing.workers else None,
        )
        return iter(loader)

    def _train(self, batches: Iterator[DepthSample]) -> None:
        budget = self._recipe.budget
        began_s = time.monotonic() - self._elapsed_s
        told_s = saved_s = shown_s = self._elapsed_s
        while self.progress.fraction < 1:
            terms = self._learn(next(batches))
            self._elapsed_s = time.monotonic() - began_s
            if self._elapsed_s - told_s > _TELL_S or self._step <= 2:
                told_s = self._elapsed_s
                self._tell(terms)
            if self._elapsed_s - saved_s > 60 * budget.checkpoint_minutes:
                saved_s = self._elapsed_s
                self._save()
            if self._elapsed_s - shown_s > 60 * budget.validate_minutes:
                shown_s = self._elapsed_s
                self._validate()
        self._validate()

    def _learn(self, sample: DepthSample) -> dict[str, Tensor]:
        """One step: forward, losses, backward, average."""
        settings = self._recipe.optimiser
        rate = learning_rate(self.progress.fraction, settings)
        for group in self._optimiser.param_groups:
            group["lr"] = rate * group["share"]
        image, depth_mm = sample
        self.network.train()
        with torch.autocast("cuda", torch.bfloat16, enabled=self._device.type == "cuda"):
            log_depth = self.network(to_network(image, self._device))
        truth_mm = depth_mm.to(self._device)
        terms = depth_supervision(log_depth.float(), truth_mm, self._recipe.losses)
        self._optimiser.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimiser.step()
        self._step += 1
        average(self.averaged, self.network, averaging_decay(self._step, settings.averaging))
        return terms

    def _validate(self) -> None:
        """Errors on validation frames that are neither warped nor disturbed, and a sheet."""
        frames = self._data.frames("validation")
        count = min(len(frames), self._recipe.budget.validation_frames)
        chosen = [frames[round(i)] for i in np.linspace(0, len(frames) - 1, count)]
        pictures = list(known_depths(self._data, chosen, "rich", self._recipe.seed))
        estimator = ColonEstimator(copy.deepcopy(self.averaged), pictures[0].image.shape[0])
        found = measure(estimator, pictures)
        values = {
            name: round(each.value, 4) for name, each in zip(FIGURES, found.figures, strict=True)
        }
        self._log({"validation": values})
        self._say(f"validation {json.dumps(values)}")
        save_picture(
            self._run / SHEET, depth_sheet(estimator, pictures[:: max(1, count // _SHOWN)])
        )

    def _tell(self, terms: dict[str, Tensor]) -> None:
        values = {name: round(float(term.detach()), 4) for name, term in terms.items()}
        need_numbers(values, self._step)
        self._log({"losses": values})
        progress = self.progress
        pace = self._step * self._recipe.drawing.batch / max(1e-6, progress.elapsed_s)
        told = "  ".join(f"{name} {value:.3f}" for name, value in values.items())
        self._say(
            f"{progress.fraction:6.1%}  step {self._step}  {pace:.1f} pictures/s  "
            f"{progress.left_s / 60:.1f} min left  {told}"
        )

    def _log(self, entry: dict[str, Any]) -> None:
        log_progress(self._run / LOG, self._step, self._elapsed_s, entry)

    def _save(self) -> None:
        save_checkpoint(
            self._run / CHECKPOINT,
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "step": self._step,
                "elapsed_s": self._elapsed_s,
                "recipe": _described(self._recipe),
            },
        )

    def _resume(self) -> None:
        state = checkpoint_of(self._run / CHECKPOINT, _described(self._recipe))
        if state is None:
            return
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._elapsed_s = state["step"], state["elapsed_s"]
        self._say(f"Going on from step {self._step} ({self._elapsed_s / 60:.1f} min done).")


def _described(recipe: DepthRecipe) -> dict[str, Any]:
    """Of a recipe, what must be the same when a run goes on; the budget may grow."""
    kept = {name: value for name, value in asdict(recipe).items() if name != "budget"}
    described: dict[str, Any] = json.loads(json.dumps(kept))
    return described


def _single_threaded(_: int) -> None:
    import cv2

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
