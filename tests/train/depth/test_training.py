from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.__main__ import main
from train.checkpoints import load_checkpoint
from train.depth.colon import open_colon
from train.depth.known import known_depths, recorded_depths, visible_depth
from train.depth.recipe import DepthBudget, DepthRecipe, DrawingSettings, StyleShares
from train.depth.samples import DepthSamples
from train.depth.training import CHECKPOINT, LOG, PRODUCT, SHEET, DepthTrainer
from train.recipe import OptimiserSettings
from train.simulate.appearance import shade
from train.simulate.camera import Fisheye
from train.simulate.dataset import SimulatedSet
from train.simulate.layouts.recording import FrameFiles, Recording

RECIPE = DepthRecipe(
    name="tiny",
    pretrained=False,
    drawing=DrawingSettings(StyleShares(plain=1, vrcaps=1, rich=0, nbi=0), batch=2, workers=0),
    budget=DepthBudget(steps=3, validation_frames=2),
)


def train(data: Path, run: Path, recipe: DepthRecipe = RECIPE) -> list[str]:
    said: list[str] = []
    DepthTrainer(recipe, SimulatedSet(data), run, said.append).run()
    return said


def weights(run: Path) -> torch.Tensor:
    state = load_checkpoint(run / CHECKPOINT)["averaged"]
    return torch.cat([value.flatten().double() for value in state.values()])


@pytest.fixture(scope="module")
def finished(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("depth") / "run"
    train(tiny_set, run)
    return run


def test_a_run_leaves_a_network_that_opens(finished: Path) -> None:
    estimator = open_colon(finished / PRODUCT)
    with torch.no_grad():
        assert estimator(torch.zeros(1, 3, 40, 50)).values.shape == (1, 40, 50)


def test_the_log_tells_losses_and_validation(finished: Path) -> None:
    entries = [json.loads(line) for line in (finished / LOG).read_text().splitlines()]
    assert set(entries[0]["losses"]) == {"shape", "gradient"}
    assert set(entries[-1]["validation"]) == {"AbsRel", "delta < 1.25", "log RMSE"}


def test_a_sheet_shows_picture_truth_and_prediction(finished: Path) -> None:
    assert cv2.imread(str(finished / SHEET)).shape[1] == 3 * 64


def test_a_stopped_run_goes_on_exactly(finished: Path, tiny_set: Path, tmp_path: Path) -> None:
    run = tmp_path / "parts"
    trainer = DepthTrainer(RECIPE, SimulatedSet(tiny_set), run, lambda _: None)
    run.mkdir()
    batches = trainer._batches()
    for _ in range(2):
        trainer._learn(next(batches))
    trainer._save()
    assert train(tiny_set, run)[0].startswith("Going on from step 2")
    torch.testing.assert_close(weights(run), weights(finished))


def test_a_longer_budget_goes_on_and_another_recipe_does_not(
    finished: Path, tiny_set: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / CHECKPOINT).write_bytes((finished / CHECKPOINT).read_bytes())
    longer = replace(RECIPE, budget=replace(RECIPE.budget, steps=4))
    train(tiny_set, run, longer)
    assert load_checkpoint(run / CHECKPOINT)["step"] == 4
    with pytest.raises(RecipeError, match="another recipe"):
        train(tiny_set, run, replace(RECIPE, seed=2))


def test_learning_one_picture_by_heart_lowers_the_loss(tiny_set: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, optimiser=OptimiserSettings(learning_rate=3e-3, warm_up=0.0))
    trainer = DepthTrainer(recipe, SimulatedSet(tiny_set), tmp_path, lambda _: None)
    batch = next(trainer._batches())
    losses = [sum(float(t.detach()) for t in trainer._learn(batch).values()) for _ in range(12)]
    assert losses[-1] < 0.7 * losses[0]


def test_a_sample_depends_on_its_number_alone(tiny_set: Path) -> None:
    samples = DepthSamples(SimulatedSet(tiny_set), "train", RECIPE.drawing, 1)
    one, again = samples[5], samples[5]
    assert torch.equal(one.image, again.image)
    assert not torch.equal(one.image, samples[6].image)


def test_depth_of_a_sample_is_never_mixed_from_two(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    true = {float(value) for name, number in data.frames("train")
            for value in np.unique(data.frame(name, number).depth_mm)}  # fmt: skip
    sample = DepthSamples(data, "train", RECIPE.drawing, 1)[3]
    assert {float(value) for value in sample.depth_mm.unique()} <= true | {0.0}


def test_a_set_without_frames_is_refused(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    data.splits["train"] = []
    with pytest.raises(RecipeError, match="no train frames"):
        DepthSamples(data, "train", RECIPE.drawing, 1)


def test_known_depths_are_grouped_by_sequence(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    found = list(known_depths(data, data.frames("test"), "plain", 0))
    assert [each.group for each in found] == ["d"] * 3 + ["e"] * 3
    assert (found[0].depth_mm > 0).any()


def test_depth_behind_a_tool_is_unknown_and_that_of_a_polyp_is_not(tiny_set: Path) -> None:
    frame = SimulatedSet(tiny_set).frame("a", 0)
    polyp, tool = np.zeros((64, 64), bool), np.zeros((64, 64), bool)
    polyp[30:40], tool[20:30] = True, True
    rendering = shade(frame, np.random.default_rng(0), "plain")
    rendering = replace(rendering, hard=polyp | tool, valid=np.ones((64, 64), bool))
    depth = visible_depth(replace(frame, polyp=polyp), rendering)
    assert not depth[20:30].any()
    assert (depth[30:40] == frame.depth_mm[30:40]).all()


def recording(folder: Path, *, has_camera: bool) -> Recording:
    cv2.imwrite(str(folder / "a.png"), np.full((64, 64, 3), 90, np.uint8))
    camera = Fisheye.colonoscope(64, float(np.radians(65))) if has_camera else None
    files = [FrameFiles("a", folder / "a.png", folder / "a.png", None)]
    return Recording(files, camera, lambda _: np.full((64, 64), 20, np.float32))


def test_depth_of_a_recording_is_taken_along_the_ray(tmp_path: Path) -> None:
    (found,) = recorded_depths(recording(tmp_path, has_camera=True))
    assert float(found.depth_mm[32, 32]) == pytest.approx(20, rel=1e-3)
    assert float(found.depth_mm[32, 2]) > 25


def test_a_recording_without_camera_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no camera"):
        list(recorded_depths(recording(tmp_path, has_camera=False)))


def test_evaluation_prints_a_table_and_draws_a_sheet(
    finished: Path, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.jpg"
    arguments = ["depth", "evaluate", "colon", "--weights", str(finished / PRODUCT)]
    arguments += ["--data", str(tiny_set), "--style", "plain", "--sheet", str(sheet)]
    assert main(arguments) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "| AbsRel | delta < 1.25 | log RMSE | pictures | sequences |"
    assert told[2].endswith("| 6 | 2 |")
    assert cv2.imread(str(sheet)) is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "colon"],
        ["evaluate", "depth-anything", "--data", "nowhere"],
        ["train", "nosuch", "--data", "x", "-o", "y"],
    ],
)
def test_a_wrong_command_ends_with_two_and_a_remedy(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["depth", *arguments]) == 2
    assert capsys.readouterr().err.startswith("haustra-train: ")
