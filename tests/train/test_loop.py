from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from engine.errors import RecipeError
from train.checkpoints import load_checkpoint
from train.loop import CHECKPOINT, LOG, RunPlaces, Trainer, average
from train.losses.segmentation import LossWeights
from train.networks import build_network
from train.recipe import BudgetSettings, RealSettings, Recipe, TutorSettings
from train.segmentation.product import Segmenter, save_segmenter


def train(recipe: Recipe, tiny_set: Path, run: Path, real: Path | None = None) -> list[str]:
    said: list[str] = []
    Trainer(recipe, RunPlaces(tiny_set, run, real), said.append).run()
    return said


def weights(run: Path) -> torch.Tensor:
    state = load_checkpoint(run / CHECKPOINT)["teacher"]
    return torch.cat([value.flatten().double() for value in state.values()])


@pytest.fixture
def real_folder(tmp_path: Path) -> Path:
    for name in ("polypgen/images/p.jpg", "cp_child_mucosa/CP-CHILD-A_Train_1.jpg"):
        path = tmp_path / "real" / name
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), np.full((80, 80, 3), 140, np.uint8))
    return tmp_path / "real"


def test_a_stopped_run_goes_on_exactly(tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path) -> None:
    train(tiny_recipe, tiny_set, tmp_path / "whole")
    stopping = replace(tiny_recipe, budget=BudgetSettings(steps=4, validation_frames=2))
    trainer = Trainer(stopping, RunPlaces(tiny_set, tmp_path / "parts"), lambda _: None)
    stop_after(trainer, 2)
    train(stopping, tiny_set, tmp_path / "parts")
    torch.testing.assert_close(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def stop_after(trainer: Trainer, steps: int) -> None:
    """Run as far as `steps`, save, and stop like a killed process."""
    trainer._places.run.mkdir()
    batches = trainer._simulated_batches(None)
    for _ in range(steps):
        trainer._learn(next(batches), None, 0.0)
    trainer._save()


def test_early_in_a_run_windows_are_cut_alike_from_all_planes(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    recipe = replace(tiny_recipe, data=replace(tiny_recipe.data, crop=32, crop_until=0.5))
    trainer = Trainer(recipe, RunPlaces(tiny_set, tmp_path), lambda _: None)
    rows = torch.arange(64)
    image = rows[None, :, None, None].expand(2, 64, 64, 3)
    labels = rows[None, None, :, None].expand(2, 4, 64, 64)
    images, planes, distance = trainer._window((image, labels, labels[:, 0].float()))
    assert images.shape == (2, 32, 32, 3)
    assert (images[0, :, 0, 0] == planes[0, 0, :, 0]).all()
    assert (images[0, :, 0, 0] == distance[0, :, 0]).all()
    trainer._step = recipe.budget.steps // 2
    assert trainer._window((image, labels))[0].shape == image.shape


def test_a_run_with_windows_kept_looks_and_short_floats_ends_with_finite_weights(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path, real_folder: Path
) -> None:
    recipe = replace(
        tiny_recipe,
        data=replace(tiny_recipe.data, crop=32, looks=1, borrowed=0.5),
        budget=replace(tiny_recipe.budget, precision="bfloat16"),
        real=RealSettings(start=0.0, ramp=0.0, batch=2),
    )
    train(recipe, tiny_set, tmp_path / "run", real_folder)
    assert torch.isfinite(weights(tmp_path / "run")).all()
    assert list((tmp_path / "run" / "gallery").rglob("*.npy"))


@pytest.mark.parametrize("name", ["little-transunet", "little-endofm-transunet"])
def test_every_network_is_trained_by_its_name(
    name: str, tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    network = replace(tiny_recipe.network, name=name)
    train(replace(tiny_recipe, network=network), tiny_set, tmp_path)
    assert any(".transformer." in key for key in load_checkpoint(tmp_path / CHECKPOINT)["teacher"])


def test_a_complete_run_is_not_trained_again(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    train(tiny_recipe, tiny_set, tmp_path)
    assert "This run is complete." in train(tiny_recipe, tiny_set, tmp_path)


def test_the_log_tells_losses_and_validation(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    train(tiny_recipe, tiny_set, tmp_path)
    entries = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert "region_dice" in entries[0]["losses"]
    assert entries[-1]["validation"]["frames"] == 2


def test_a_contact_sheet_shows_the_validation(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    train(tiny_recipe, tiny_set, tmp_path)
    assert cv2.imread(str(tmp_path / "validation.png")).shape[1] % 64 == 0


def test_without_real_frames_the_run_says_so(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    recipe = replace(tiny_recipe, real=RealSettings(use=True))
    assert train(recipe, tiny_set, tmp_path)[0].startswith("No real frames")


def test_real_frames_teach_consistency_and_absence(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path, real_folder: Path
) -> None:
    recipe = replace(tiny_recipe, real=RealSettings(start=0.0, ramp=0.0, batch=2))
    train(recipe, tiny_set, tmp_path / "run", real_folder)
    entry = json.loads((tmp_path / "run" / LOG).read_text().splitlines()[0])
    assert {"consistency", "polyp", "flat"} <= set(entry["losses"])


def test_a_run_does_not_go_on_under_another_recipe(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path
) -> None:
    train(tiny_recipe, tiny_set, tmp_path)
    longer = replace(tiny_recipe, budget=replace(tiny_recipe.budget, steps=5))
    assert train(longer, tiny_set, tmp_path)[0].startswith("Going on from step 4")
    with pytest.raises(RecipeError, match="another recipe"):
        train(replace(longer, seed=99), tiny_set, tmp_path)


def test_a_student_comes_to_say_what_its_tutor_says(
    tiny_recipe: Recipe, tiny_set: Path, tmp_path: Path, real_folder: Path
) -> None:
    tutor = build_network("student")
    torch.nn.init.zeros_(tutor.head.weight)  # type: ignore[arg-type, union-attr]
    torch.nn.init.constant_(tutor.head.bias, 3.0)  # type: ignore[arg-type, union-attr]
    path = save_segmenter(tmp_path / "tutor.safetensors", Segmenter(tutor, 0.5, True), "student")
    recipe = replace(
        tiny_recipe,
        losses=LossWeights(0, 0, 0, 0, 0, 0),
        real=RealSettings(start=0.0, ramp=0.0, batch=2, consistency=0, polyp=0, flat=0),
        optimiser=replace(tiny_recipe.optimiser, learning_rate=2e-2, warm_up=0.0),
        budget=replace(tiny_recipe.budget, steps=12),
        tutor=TutorSettings(str(path), 1.0),
    )
    trainer = Trainer(recipe, RunPlaces(tiny_set, tmp_path, real_folder), lambda _: None)
    unlabelled = trainer._real_samples()
    pictures, real = trainer._simulated_batches(unlabelled), trainer._real_batches(unlabelled)
    assert real is not None
    losses = [
        float(trainer._learn(next(pictures), next(real), 1.0)["tutor"].detach()) for _ in range(12)
    ]
    least = 0.1908  # -(p log p + (1 - p) log(1 - p)) of p = sigmoid(3): no loss can be smaller
    assert least - 1e-3 < losses[-1] < 0.5 * losses[0]


def test_an_absent_checkpoint_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Train first"):
        load_checkpoint(tmp_path / CHECKPOINT)


def test_a_broken_checkpoint_is_explained(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"broken")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_checkpoint(tmp_path / CHECKPOINT)


def test_the_average_moves_by_the_part_not_remembered() -> None:
    teacher, student = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.constant_(teacher.weight, 0.0)
    nn.init.constant_(student.weight, 1.0)
    average(teacher, student, 0.75)
    assert teacher.weight.item() == 0.25
