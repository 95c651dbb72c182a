"""Whole runs in seconds: trained, stopped, continued, written, opened."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import train.segmentation.training as training
from engine.errors import RecipeError
from train.checkpoints import load_checkpoint
from train.segmentation.product import open_segmenter
from train.segmentation.recipe import (
    DescentSettings,
    DrawingSettings,
    NetworkChoice,
    SegmentationBudget,
    SegmentationRecipe,
    TermWeights,
)
from train.segmentation.training import (
    CHECKPOINT,
    LOG,
    PRODUCT,
    SHEET,
    SegmentationPlaces,
    SegmentationTrainer,
)

RECIPE = SegmentationRecipe(
    "tiny",
    network=NetworkChoice("little-endofm-transunet"),
    drawing=DrawingSettings(batch=4, workers=0),
    budget=SegmentationBudget(steps=4),
)


@pytest.fixture(scope="module")
def places(stored_set: Path, translated_set: Path) -> SegmentationPlaces:
    return SegmentationPlaces(stored_set, Path(), translated_set)


def train(places: SegmentationPlaces, run: Path, **changes: Any) -> list[str]:
    said: list[str] = []
    recipe = replace(RECIPE, **changes)
    SegmentationTrainer(recipe, replace(places, run=run), said.append).run()
    return said


@pytest.fixture(scope="module")
def run(places: SegmentationPlaces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    train(places, folder)
    return folder


def weights(run: Path, of: str = "student") -> torch.Tensor:
    state = load_checkpoint(run / CHECKPOINT)[of]
    return torch.cat([value.flatten().double() for value in state.values()])


def test_a_run_leaves_checkpoint_log_sheet_and_product(run: Path) -> None:
    assert {CHECKPOINT, LOG, SHEET, PRODUCT} == {each.name for each in run.iterdir()}
    last = json.loads((run / LOG).read_text().splitlines()[-1])
    assert last["step"] == 4
    assert last["losses"].keys() == {"entropy", "dice"}


def test_the_product_says_what_the_trained_network_says(run: Path) -> None:
    segmenter = open_segmenter(run / PRODUCT)
    state = load_checkpoint(run / CHECKPOINT)["student"]
    assert all(
        torch.equal(each, state[name]) for name, each in segmenter.network.state_dict().items()
    )
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    found = segmenter([picture, picture])
    assert found.shape == (2, 2, 64, 64)
    assert 0.1 <= segmenter.threshold <= 0.95
    # Edges were not learned: nothing is said of them.
    assert not found[:, 1].any()


def test_a_stopped_run_goes_on_exactly(
    run: Path, places: SegmentationPlaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = training.endless

    def stopping(*arguments: Any) -> Iterator[Any]:
        batches = drawn(*arguments)
        yield next(batches)
        yield next(batches)
        raise KeyboardInterrupt

    often = SegmentationBudget(steps=4, checkpoint_minutes=0.0)
    monkeypatch.setattr(training, "endless", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(places, tmp_path, budget=often)
    monkeypatch.undo()
    assert "Going on from step 2" in train(places, tmp_path, budget=often)[0]
    assert torch.equal(weights(tmp_path), weights(run))


def test_a_complete_run_is_not_trained_again(run: Path, places: SegmentationPlaces) -> None:
    before = (run / CHECKPOINT).stat().st_mtime_ns
    train(places, run)
    assert (run / CHECKPOINT).stat().st_mtime_ns == before


def test_a_run_of_another_recipe_is_left_alone(run: Path, places: SegmentationPlaces) -> None:
    with pytest.raises(RecipeError, match="another recipe"):
        train(places, run, seed=2)


def test_another_seed_gives_other_weights(
    run: Path, places: SegmentationPlaces, tmp_path: Path
) -> None:
    train(places, tmp_path, seed=2)
    assert not torch.equal(weights(tmp_path), weights(run))


def test_epochs_count_passes_through_all_views(places: SegmentationPlaces, tmp_path: Path) -> None:
    # Six views, two a step as pairs, four a step alone.
    for pictures, steps in (("paired", 6), ("simulated", 3)):
        recipe = replace(
            RECIPE,
            drawing=replace(RECIPE.drawing, pictures=pictures),
            budget=SegmentationBudget(epochs=2),
        )
        trainer = SegmentationTrainer(recipe, replace(places, run=tmp_path), print)
        assert trainer.progress.budget.steps == steps


def test_the_rate_falls_as_a_power_of_what_is_left(
    places: SegmentationPlaces, tmp_path: Path
) -> None:
    # The last of four steps begins with a quarter left.
    train(places, tmp_path, budget=SegmentationBudget(steps=4))
    state = load_checkpoint(tmp_path / CHECKPOINT)["optimiser"]
    assert state["param_groups"][0]["lr"] == pytest.approx(1e-2 * 0.25**0.9)


def test_edges_are_learned_where_they_have_a_weight(
    places: SegmentationPlaces, tmp_path: Path
) -> None:
    train(
        places, tmp_path,
        network=NetworkChoice("student", pretrained=False),
        descent=DescentSettings("adamw", 1e-3),
        terms=TermWeights(edge=1.0),
    )  # fmt: skip
    picture = np.full((64, 64, 3), 90, np.uint8)
    assert open_segmenter(tmp_path / PRODUCT)([picture])[0, 1].any()


@pytest.fixture
def real(tmp_path: Path) -> Path:
    path = tmp_path / "real" / "polypgen" / "images" / "p.jpg"
    path.parent.mkdir(parents=True)
    draw = np.random.default_rng(2)
    cv2.imwrite(str(path), draw.integers(90, 200, (80, 80, 3), dtype=np.uint8))
    return tmp_path / "real"


def test_consistency_gives_an_averaged_teacher(
    places: SegmentationPlaces, tmp_path: Path, real: Path
) -> None:
    consistent = TermWeights(consistency=1.0, ramp=0.0)
    run = tmp_path / "run"
    train(replace(places, real=real), run, terms=consistent)
    last = json.loads((run / LOG).read_text().splitlines()[-1])
    assert last["losses"]["consistency"] > 0
    taught, learnt = weights(run, "teacher"), weights(run)
    assert not torch.equal(taught, learnt)
    product = open_segmenter(run / PRODUCT).network.state_dict()
    assert torch.equal(torch.cat([each.flatten().double() for each in product.values()]), taught)


def test_consistency_without_real_pictures_is_refused(
    places: SegmentationPlaces, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="needs real pictures"):
        train(places, tmp_path, terms=TermWeights(consistency=1.0))


def test_two_processes_take_the_steps_of_one(places: SegmentationPlaces, tmp_path: Path) -> None:
    recipe = tmp_path / "pair.toml"
    recipe.write_text(
        '[network]\nname = "little-endofm-transunet"\n[drawing]\nbatch = 2\nworkers = 0\n'
    )
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
        "-m", "train", "segment", str(recipe), "--simulated", str(places.simulated),
        "--translated", str(places.translated), "-o", str(tmp_path / "run"), "--steps", "2",
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert load_checkpoint(tmp_path / "run" / CHECKPOINT)["step"] == 2
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert steps == [1, 2]
