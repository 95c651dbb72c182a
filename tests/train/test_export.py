"""One tiny run, exported, sealed and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.bundle import INT8_NETWORK, ModelBundle, Precision
from engine.errors import BundleError
from train.evaluate import EvaluationPlaces, evaluate
from train.export import (
    CARD,
    MOST_LOST_POINTS,
    ExportPlaces,
    export_bundle,
    load_trained,
    with_evaluation,
)
from train.loop import RunPlaces, Trainer
from train.recipe import BudgetSettings, DataSettings, RealSettings, Recipe
from train.simulate.farm import SimulationRecipe


@pytest.fixture(scope="module")
def run(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    recipe = Recipe(
        name="tiny",
        simulate=SimulationRecipe(size=64),
        data=DataSettings(batch=2, workers=0),
        budget=BudgetSettings(steps=2, validation_frames=2),
        real=RealSettings(use=False),
    )
    folder = tmp_path_factory.mktemp("run")
    Trainer(recipe, RunPlaces(tiny_set, folder), lambda _: None).run()
    return recipe, folder


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crops of flat mucosa: one for training, one for the test."""
    folder = tmp_path_factory.mktemp("real") / "cp_child_mucosa"
    folder.mkdir()
    for name in "AB":
        picture = np.full((64, 64, 3), 140, np.uint8)
        cv2.imwrite(str(folder / f"CP-CHILD-{name}_Test_1.jpg"), picture)
    return folder.parent


@pytest.fixture(scope="module")
def bundle(
    run: tuple[Recipe, Path],
    tiny_set: Path,
    real: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> ModelBundle:
    places = ExportPlaces(run[1], tiny_set, tmp_path_factory.mktemp("bundle"), real)
    return export_bundle(run[0], places)


def test_the_bundle_opens_and_knows_its_input(bundle: ModelBundle) -> None:
    assert ModelBundle.open(bundle.path).input.size == 64


def test_every_back_end_and_precision_was_compared_with_torch(bundle: ModelBundle) -> None:
    parity = bundle.provenance["parity"]
    named = [each["backend"] for each in parity if each["pictures"] == "simulated"]
    assert [name.split(",")[0] for name in named] == [
        "OpenVINO", "OpenVINO", "ONNX Runtime", "ONNX Runtime", "OpenVINO",
    ]  # fmt: skip
    assert "fp16" in named[3] and "int8" in named[4]


def test_folds_are_divided_where_they_were_before_edges_were_scaled(bundle: ModelBundle) -> None:
    edge = bundle.metrics["calibration"]["edge"]
    logit = edge["slope"] * np.log(0.3 / 0.7) + edge["shift"]
    assert bundle.seam_threshold == pytest.approx(1 / (1 + np.exp(-logit)))


def test_int8_is_sealed_exactly_where_it_loses_little(bundle: ModelBundle) -> None:
    (lost,) = (
        each["lost_points"]
        for each in bundle.provenance["parity"]
        if "int8" in each["backend"] and each["pictures"] == "simulated"
    )
    assert (Precision.INT8 in bundle.precisions) == (lost <= MOST_LOST_POINTS)
    assert (bundle.path / INT8_NETWORK).exists() == (Precision.INT8 in bundle.precisions)


def test_real_frames_are_compared_too(bundle: ModelBundle) -> None:
    frames = {each["pictures"]: each["frames"] for each in bundle.provenance["parity"]}
    assert frames == {"simulated": 3, "real": 1}


def test_the_card_says_how_well_probabilities_are_meant(bundle: ModelBundle) -> None:
    card = (bundle.path / CARD).read_text()
    slope = bundle.metrics["calibration"]["fold"]["slope"]
    assert f"| fold | {slope:.3f} |" in card
    assert "OpenVINO, processor, fp32" in card


def test_the_half_network_travels_with_the_bundle(bundle: ModelBundle) -> None:
    assert Precision.FP16 in bundle.precisions


def test_the_recipe_travels_with_the_bundle(bundle: ModelBundle) -> None:
    assert bundle.provenance["recipe"]["name"] == "tiny"


def test_the_card_says_what_it_is_not_for(bundle: ModelBundle) -> None:
    assert "Research and training. Not for diagnosis." in (bundle.path / CARD).read_text()


def test_a_card_without_real_frames_names_none(bundle: ModelBundle) -> None:
    assert "PolypGen" not in (bundle.path / CARD).read_text()


def test_another_networks_checkpoint_is_refused(run: tuple[Recipe, Path], tmp_path: Path) -> None:
    from train.checkpoints import save_checkpoint
    from train.loop import CHECKPOINT

    save_checkpoint(tmp_path / CHECKPOINT, {"teacher": {}})
    with pytest.raises(BundleError, match="student"):
        load_trained(tmp_path, replace(run[0]))


def test_measured_figures_are_sealed_into_the_bundle(bundle: ModelBundle, tiny_set: Path) -> None:
    found = evaluate(bundle, EvaluationPlaces(tiny_set))
    sealed = with_evaluation(bundle, found.as_dict(), "haustra-train evaluate")
    assert "unseen procedural colons" in (sealed.path / CARD).read_text()
    assert sealed.metrics["evaluation"]["threshold"] == bundle.threshold


def test_figures_are_written_as_json_and_markdown(
    bundle: ModelBundle, tiny_set: Path, tmp_path: Path
) -> None:
    evaluate(bundle, EvaluationPlaces(tiny_set)).write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"evaluation.json", "evaluation.md"}
