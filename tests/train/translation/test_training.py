"""A whole run in seconds: trained, stopped, continued, written, opened."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import RecipeError
from train.translation import Batch
from train.translation.bank import Batches, RealBank, SimulatedBank
from train.translation.product import open_product
from train.translation.recipe import PictureSettings, TranslationBudget, TranslationRecipe
from train.translation.training import CHECKPOINT, LOG, PRODUCT, SHEET, TranslationTrainer

RECIPE = TranslationRecipe(
    name="tiny",
    translator="cyclegan",
    pictures=PictureSettings(style="plain", size=64, load_size=68, batch=1),
    budget=TranslationBudget(steps=4),
    options={"width": 4, "blocks": 1, "pool": 2},
)


@pytest.fixture(scope="module")
def batches() -> Batches:
    draw = torch.Generator().manual_seed(4)
    shape = (6, 68, 68)
    image = torch.randint(0, 256, (*shape, 3), generator=draw, dtype=torch.uint8)
    true = torch.ones(shape, dtype=torch.bool)
    bank = SimulatedBank(
        image, true, 20 * torch.ones(shape).half(), torch.zeros((*shape, 3), dtype=torch.int8),
        ~true, ~true, torch.zeros(shape, dtype=torch.int32),
        torch.zeros(6, dtype=torch.int64), torch.zeros((1, 68, 68, 3)),
    )  # fmt: skip
    return Batches(bank, RealBank(image.flip(0), true), size=64, count=1, seed=1)


class Stopping:
    """Batches of which the third is interrupted, once."""

    def __init__(self, batches: Batches) -> None:
        self._batches, self._is_due = batches, True
        self.larger = batches.larger

    def __getitem__(self, number: int) -> Batch:
        if number == 2 and self._is_due:
            self._is_due = False
            raise KeyboardInterrupt
        return self._batches[number]

    def for_people(self, number: int) -> Batch:
        return self._batches.for_people(number)


def train(
    batches: Batches | Stopping, run: Path, steps: int, recipe: TranslationRecipe = RECIPE
) -> list[str]:
    said: list[str] = []
    budget = replace(recipe.budget, steps=steps)
    TranslationTrainer(replace(recipe, budget=budget), batches, run, said.append).run()
    return said


@pytest.fixture(scope="module")
def run(batches: Batches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(batches, folder, 4)
    return folder


def test_a_run_leaves_checkpoint_log_curves_sheet_and_product(run: Path) -> None:
    assert {CHECKPOINT, LOG, SHEET, PRODUCT, "tensorboard"} <= {each.name for each in run.iterdir()}
    assert list((run / "tensorboard").iterdir())


def test_the_log_tells_every_term(run: Path) -> None:
    last = json.loads((run / LOG).read_text().splitlines()[-1])
    assert last["step"] == 4
    assert {"GAN real", "cycle simulated", "judge real"} <= last["losses"].keys()


def test_the_product_translates_as_the_trained_network_does(run: Path, batches: Batches) -> None:
    product, about = open_product(run / PRODUCT)
    state = torch.load(run / CHECKPOINT, weights_only=True)["translator"]
    assert (about.steps, about.size, about.style) == (4, 64, "plain")
    weight = state["to_real.model.1.weight"]
    found = product.product.state_dict()["model.1.weight"]
    assert torch.allclose(found, weight, atol=1e-3)
    assert product.translate(batches[0].simulated).shape == (1, 3, 64, 64)


def test_a_stopped_run_goes_on_as_if_it_had_not(
    run: Path, batches: Batches, tmp_path: Path
) -> None:
    budget = TranslationBudget(steps=4, checkpoint_minutes=0.0)
    stopping = Stopping(batches)
    with pytest.raises(KeyboardInterrupt):
        train(stopping, tmp_path, 4, replace(RECIPE, budget=budget))
    said = train(stopping, tmp_path, 4, replace(RECIPE, budget=budget))
    assert "Going on from step 2" in said[0]
    one, other = (
        torch.load(folder / CHECKPOINT, weights_only=True)["translator"]
        for folder in (run, tmp_path)
    )
    weights = [name for name, value in one.items() if isinstance(value, torch.Tensor)]
    assert all(torch.equal(one[name], other[name]) for name in weights)


def test_a_run_that_draws_at_random_goes_on_exactly(batches: Batches, tmp_path: Path) -> None:
    options = {
        "width": 4, "content_blocks": 1, "style_blocks": 1, "judge_width": 4,
        "structure": {"label_width": 4}, "depth": {"weight": 0.0},
    }  # fmt: skip
    budget = TranslationBudget(steps=4, checkpoint_minutes=0.0)
    recipe = replace(RECIPE, translator="structured", options=options, budget=budget)
    train(batches, tmp_path / "whole", 4, recipe)
    stopping = Stopping(batches)
    with pytest.raises(KeyboardInterrupt):
        train(stopping, tmp_path / "stopped", 4, recipe)
    train(stopping, tmp_path / "stopped", 4, recipe)
    one, other = (
        torch.load(tmp_path / name / CHECKPOINT, weights_only=True)["translator"]
        for name in ("whole", "stopped")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_finished_run_is_not_trained_again(run: Path, batches: Batches) -> None:
    before = (run / CHECKPOINT).stat().st_mtime_ns
    train(batches, run, 4)
    assert (run / CHECKPOINT).stat().st_mtime_ns == before


def test_a_run_of_another_recipe_is_left_alone(run: Path, batches: Batches) -> None:
    with pytest.raises(RecipeError, match="another recipe"):
        train(batches, run, 8, replace(RECIPE, options={"width": 8}))


def test_epochs_count_passes_through_the_larger_set(batches: Batches, tmp_path: Path) -> None:
    recipe = replace(RECIPE, budget=TranslationBudget(epochs=2.0))
    trainer = TranslationTrainer(recipe, batches, tmp_path, print)
    assert trainer.progress.budget.steps == 12


@pytest.mark.parametrize("damage", ["absent", "cut", "other"])
def test_a_product_that_is_none_is_refused(run: Path, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "product"
    if damage != "absent":
        folder.mkdir()
        for each in (run / PRODUCT).iterdir():
            (folder / each.name).write_bytes(each.read_bytes())
    weights = folder / "weights.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:200])
    if damage == "other":
        about = json.loads((folder / "translator.json").read_text())
        about["options"]["width"] = 8
        (folder / "translator.json").write_text(json.dumps(about))
    with pytest.raises(RecipeError, match="no translator that can be used"):
        open_product(folder)
