"""Trains one translator: resumable, watched live, on a processor, a GPU or several.

RUN/checkpoint.pt      everything to go on from
RUN/log.jsonl          losses over time, one object a line
RUN/tensorboard/       the same as curves, with pictures
RUN/sheet.jpg          the newest pictures side by side
RUN/translator/        the product: settings and weights for `translate apply`

Started by torchrun, every process draws its own pictures and all take the same step.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.tensorboard.writer import SummaryWriter
from tqdm import tqdm

from train.checkpoints import checkpoint_of, log_progress, need_numbers, save_checkpoint
from train.schedule import Progress
from train.sheets import contact_sheet, save_picture
from train.team import Team
from train.translation import Batch, Translator, build_translator
from train.translation.product import save_product
from train.translation.recipe import TranslationBudget, TranslationRecipe

CHECKPOINT, LOG, PRODUCT, SHEET = "checkpoint.pt", "log.jsonl", "translator", "sheet.jpg"
_TELL_S = 2.0
_SHOWN = 4
"""Pictures on a sheet."""

Say = Callable[[str], None]


class Drawn(Protocol):
    """Batches by number, as `train.translation.bank.Batches` draws them."""

    @property
    def larger(self) -> int:
        """Pictures in the larger bank, which an epoch passes through once."""
        ...

    def __getitem__(self, number: int) -> Batch:
        """To learn from."""
        ...

    def for_people(self, number: int) -> Batch:
        """To look at again and again."""
        ...


class TranslationTrainer:
    """One run of one recipe. `run()` goes on from the last checkpoint, if any."""

    def __init__(self, recipe: TranslationRecipe, batches: Drawn, run: Path, say: Say) -> None:
        self._recipe, self._batches, self._run, self._say = recipe, batches, run, say
        self._team = Team.of_this_process()
        self._budget = _in_steps(recipe, batches.larger, self._team.size)
        self._device = self._team.device()
        torch.manual_seed(recipe.seed)
        layout = torch.channels_last if recipe.speed.channels_last else torch.contiguous_format
        self.translator: Translator = build_translator(recipe.translator, recipe.options)
        self.translator.to(self._device)
        for weight in self.translator.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=layout)
        self._rates = {
            name: [group["lr"] for group in optimiser.param_groups]
            for name, optimiser in self.translator.optimisers().items()
        }
        if recipe.speed.compile:
            for network in self.translator.children():
                network.compile()
        self._step, self._elapsed_s = 0, 0.0
        self._curves: SummaryWriter | None = None

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return Progress(self._step, self._elapsed_s, self._budget)

    def run(self) -> Translator:
        """Train until the budget is spent; writes the product and returns the translator.

        Raises:
            RecipeError: the folder holds a run of another recipe, or a loss is no number any more.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        self._resume()
        if self.progress.fraction < 1:
            with self._watched() as told:
                self._train(told)
            self._save()
        if self._team.rank == 0:
            save_product(self._run / PRODUCT, self.translator, self._recipe, self._step)
        return self.translator

    def _train(self, told: Callable[[dict[str, Tensor]], None]) -> None:
        began_s = time.monotonic() - self._elapsed_s
        saved_s = shown_s = self._elapsed_s
        while self.progress.fraction < 1:
            number = self._step * self._team.size + self._team.rank
            batch = self._batches[number].to(self._device)
            terms = self._learn(batch)
            self._step += 1
            self._elapsed_s = self._team.agreed(time.monotonic() - began_s, self._device)
            told(terms)
            if self._elapsed_s - saved_s > 60 * self._recipe.budget.checkpoint_minutes:
                saved_s = self._elapsed_s
                self._save()
            if self._elapsed_s - shown_s > 60 * self._recipe.budget.picture_minutes:
                shown_s = self._elapsed_s
                self._show()
        self._show()

    def _learn(self, batch: Batch) -> dict[str, Tensor]:
        """One step at the rate that the progress asks for."""
        self.translator.train()
        # What a step draws at random depends on its number, so that a run goes on exactly.
        torch.manual_seed(self._team.dice(self._recipe.seed, self._step))
        rate = self.translator.rate(self.progress.fraction)
        for name, optimiser in self.translator.optimisers().items():
            for group, first in zip(optimiser.param_groups, self._rates[name], strict=True):
                group["lr"] = rate * first
        is_short = self._recipe.speed.precision == "bfloat16"
        with torch.autocast(self._device.type, torch.bfloat16, enabled=is_short):
            return self.translator.step(batch, self._descend)

    def _descend(self, optimiser: Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self._device.type, enabled=False):
            loss.float().backward()  # type: ignore[no-untyped-call]
            weights = [weight for group in optimiser.param_groups for weight in group["params"]]
            self._team.average(weights)
            optimiser.step()

    @contextmanager
    def _watched(self) -> Iterator[Callable[[dict[str, Tensor]], None]]:
        """Progress bar, log and curves; what comes out takes the terms of every step."""
        if self._team.rank:
            yield lambda terms: None
            return
        curves = SummaryWriter(str(self._run / "tensorboard"), purge_step=self._step)
        total = self._budget.steps or None
        bar = tqdm(total=total, initial=self._step, unit="step", desc=self._recipe.translator)
        told_s = -_TELL_S

        def tell(terms: dict[str, Tensor]) -> None:
            nonlocal told_s
            bar.update()
            if self._elapsed_s - told_s < _TELL_S and self.progress.fraction < 1:
                return
            told_s = self._elapsed_s
            values = {name: float(term) for name, term in terms.items()}
            need_numbers(values, self._step)
            bar.set_postfix_str(
                f"{self.progress.left_s / 60:.0f} min left, "
                + " ".join(f"{name} {value:.3f}" for name, value in values.items())
            )
            log_progress(self._run / LOG, self._step, self._elapsed_s, {"losses": values})
            for name, value in values.items():
                curves.add_scalar(name, value, self._step)

        try:
            self._curves = curves
            yield tell
        finally:
            self._curves = None
            bar.close()
            curves.close()

    def _show(self) -> None:
        """Newest pictures: a row each, in the columns that the translator shows."""
        if self._team.rank:
            return
        self.translator.eval()
        columns: dict[str, list[Tensor]] = {}
        for number in range(_SHOWN):
            batch = self._batches.for_people(number).to(self._device)
            for title, pictures in self.translator.shown(batch).items():
                columns.setdefault(title, []).append(pictures[0])
        rows = [_uint8(columns[title][row]) for row in range(_SHOWN) for title in columns]
        save_picture(self._run / SHEET, contact_sheet(rows, len(columns)))
        if self._curves is not None:
            for title in columns:
                stacked = (torch.stack(columns[title]) + 1) / 2
                self._curves.add_images(title, stacked.clamp(0, 1), self._step)

    def _save(self) -> None:
        if self._team.rank:
            return
        optimisers = self.translator.optimisers()
        save_checkpoint(
            self._run / CHECKPOINT,
            {
                "translator": self.translator.state_dict(),
                "optimisers": {name: each.state_dict() for name, each in optimisers.items()},
                "step": self._step,
                "elapsed_s": self._elapsed_s,
                "recipe": described(self._recipe),
            },
        )

    def _resume(self) -> None:
        state = checkpoint_of(self._run / CHECKPOINT, described(self._recipe))
        if state is None:
            self.translator.prepare()
            return
        self.translator.load_state_dict(state["translator"])
        for name, optimiser in self.translator.optimisers().items():
            optimiser.load_state_dict(state["optimisers"][name])
        self._step, self._elapsed_s = state["step"], state["elapsed_s"]
        self._say(f"Going on from step {self._step} ({self._elapsed_s / 60:.1f} min done).")


def described(recipe: TranslationRecipe) -> dict[str, Any]:
    """Of a recipe, what must be the same when a run goes on; a budget may grow."""
    return {
        "translator": recipe.translator,
        "options": json.loads(json.dumps(dict(recipe.options))),
        "pictures": asdict(recipe.pictures),
        "seed": recipe.seed,
    }


def _in_steps(recipe: TranslationRecipe, larger: int, processes: int) -> TranslationBudget:
    """The budget with epochs turned into steps, where nothing else is said."""
    budget = recipe.budget
    if budget.minutes or budget.steps:
        return budget
    steps = max(1, round(budget.epochs * larger / (recipe.pictures.batch * processes)))
    return TranslationBudget(steps=steps)


def _uint8(picture: Tensor) -> Any:
    """(3, H, W) in [-1, 1] → (H, W, 3) uint8, rounded."""
    scaled = ((picture.float() + 1) * 127.5).round().clamp(0, 255)
    return scaled.byte().permute(1, 2, 0).cpu().numpy()
