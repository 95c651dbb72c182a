"""The whole path in little: two rendered frames a colon, two steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bundle import ModelBundle
from train.recipe import BudgetSettings, DataSettings, RealSettings, Recipe
from train.reproduce import reproduce
from train.simulate.farm import SimulationRecipe


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe(
        name="tiny",
        simulate=SimulationRecipe(train=1, validation=1, test=1, frames=2, size=64),
        data=DataSettings(batch=2, workers=0),
        budget=BudgetSettings(steps=2, validation_frames=2),
        real=RealSettings(use=False),
    )


@pytest.fixture(scope="module")
def made(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    said: list[str] = []
    folder = tmp_path_factory.mktemp("reproduce")
    reproduce(recipe, folder, None, said.append)
    return folder, said


def test_nothing_becomes_a_sealed_and_measured_bundle(made: tuple[Path, list[str]]) -> None:
    bundle = ModelBundle.open(made[0] / "bundle")
    assert "unseen procedural colons" in bundle.metrics["evaluation"]["table"]


def test_the_last_thing_said_is_the_table(made: tuple[Path, list[str]]) -> None:
    assert made[1][-1].startswith("Threshold")


def test_a_second_time_nothing_is_repeated(made: tuple[Path, list[str]], recipe: Recipe) -> None:
    said: list[str] = []
    reproduce(recipe, made[0], None, said.append)
    assert not [text for text in said if text.startswith(("1/4", "3/4", "4/4"))]
