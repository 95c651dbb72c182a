"""Our own benchmark in little: one colon, one hose for a scan."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.train.simulate.solids import hose, save
from tests.train.translation.products import tiny_product
from train.benchmark.public import COLONS, SCANS, PublicBenchmark, PublicPlaces, Scan
from train.benchmark.recipe import read_benchmark
from train.benchmark.test_sets import TestSettings, open_test_set
from train.real import read_image
from train.simulate.appearance import STORED
from train.simulate.dataset import SimulatedSet
from train.simulate.farm import SimulationRecipe, Workers

RECIPES = Path(__file__).resolve().parents[3] / "train" / "recipes"
LITTLE = PublicBenchmark(
    {"colons": SimulationRecipe(seed=5, train=0, validation=0, test=1, frames=2, size=64)},
    {"scan": Scan("hose.ply", (0.3, 0.7), is_line_found=True, frames=4),
     "absent": Scan("nowhere.ply", (0.3, 0.7))},
)  # fmt: skip


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> PublicPlaces:
    folder = tmp_path_factory.mktemp("public")
    save(hose(), folder / "hose.ply")
    translator = tiny_product(folder / "translator")
    return PublicPlaces(folder / "out", folder, translator, Workers(1))


@pytest.fixture(scope="module")
def said(places: PublicPlaces) -> list[str]:
    lines: list[str] = []
    LITTLE.make(places, lines.append)
    return lines


@pytest.mark.parametrize("name", ["colons", "scan"])
def test_every_set_is_there_in_every_look(places: PublicPlaces, said: list[str], name: str) -> None:
    for style in ("plain", "rich"):
        settings = TestSettings(name, folder=str(places.out / name), style=style)
        assert open_test_set(settings).sequences[0][0].image.any()
    translated = TestSettings(name, folder=str(places.out / "translated" / name))
    frame = open_test_set(translated).sequences[0][0]
    assert frame.fold is not None and frame.image.any()


def test_the_recipe_names_every_set_in_every_look() -> None:
    tests = read_benchmark("public").tests
    named = {(each.folder, each.style) for each in tests}
    for name in (*COLONS, *SCANS):
        assert {(name, "plain"), (name, "rich"), (f"translated/{name}", STORED)} <= named


def test_a_mesh_that_is_not_there_is_left_out_and_told(said: list[str]) -> None:
    assert "absent is left out: no nowhere.ply" in said


def test_sheets_show_views_in_every_look_with_their_labels(
    places: PublicPlaces, said: list[str]
) -> None:
    sheet = read_image(places.out / "sheets" / "colons.jpg")
    assert sheet.shape == (2 * 64, 4 * 64, 3)


def test_a_centreline_that_was_found_is_kept(places: PublicPlaces, said: list[str]) -> None:
    assert (places.out / "scan" / "centreline.txt").exists()
    provenance = SimulatedSet(places.out / "scan").sequence("hose-0").about["provenance"]
    assert provenance["centreline"] == "centreline.txt"


def test_nothing_is_made_twice(places: PublicPlaces, said: list[str]) -> None:
    again: list[str] = []
    LITTLE.make(places, again.append)
    assert again == ["absent is left out: no nowhere.ply"]


def test_no_recipe_trains_on_its_colons() -> None:
    recipes = [tomllib.loads(path.read_text()) for path in RECIPES.rglob("*.toml")]
    seeds = {
        recipe["simulate"]["seed"] for recipe in recipes if "seed" in recipe.get("simulate", {})
    }
    assert len(seeds) > 3 and not seeds & {recipe.seed for recipe in COLONS.values()}
    assert all(recipe.train == 0 for recipe in COLONS.values())
    assert SCANS["ct-b"].is_line_found
