"""Recipes that travel with the package, and what is refused."""

from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.benchmark.recipe import RECIPES, read_benchmark
from train.segmentation.recipe import SegmentationRecipe
from train.translation.recipe import TranslationRecipe

TEXT = """
label = "region"
[training.budget]
steps = 7
[translation.budget]
steps = 9
[translations.painted]
translator = "cyclegan"
options = { width = 8 }
[rows.plain]
model = "little-transunet"
[rows.pairs]
model = "little-transunet"
pictures = "paired"
translation = "painted"
terms = { edge = 0.5 }
[rows.foldit]
options = { width = 4 }
[tests.own]
folder = "simulated"
"""


def read(text: str, folder: Path) -> object:
    (folder / "some.toml").write_text(text)
    return read_benchmark(folder / "some.toml")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_that_travels_with_the_package_is_sound(path: Path) -> None:
    assert read_benchmark(path).settings.name == path.stem


def test_the_papers_benchmark_has_the_papers_size() -> None:
    recipe = read_benchmark("paper")
    simulate = recipe.settings.simulate
    assert simulate.train * simulate.frames == 1400
    assert simulate.test * simulate.test_frames == 500
    assert (simulate.size, recipe.settings.seeds) == (256, 3)
    pairs = next(row for row in recipe.rows if row.name == "ours, pairs")
    assert isinstance(pairs.training, SegmentationRecipe)
    assert pairs.training.network.name == "endofm-transunet"
    assert pairs.training.budget.epochs == 150


def test_a_row_has_what_is_said_of_all_and_its_own(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(TEXT)
    recipe = read_benchmark(tmp_path / "some.toml")
    plain, pairs, foldit = recipe.rows
    assert isinstance(plain.training, SegmentationRecipe)
    assert isinstance(pairs.training, SegmentationRecipe)
    assert isinstance(foldit.training, TranslationRecipe)
    assert (plain.pictures, pairs.pictures, foldit.pictures) == ("simulated", "paired", "real")
    assert (plain.training.terms.edge, pairs.training.terms.edge) == (0.0, 0.5)
    assert pairs.training.budget.steps == 7
    assert (foldit.training.budget.steps, foldit.training.options["width"]) == (9, 4)
    assert {plain.training.drawing.label, recipe.tests[0].label} == {"region"}
    assert recipe.against == "plain"
    assert recipe.translations["painted"].translator == "cyclegan"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('translation = "painted"', 'translation = "printed"', "one of painted"),
        ('pictures = "paired"\ntranslation = "painted"', 'pictures = "paired"', "names its"),
        ('[tests.own]\nfolder = "simulated"', "", "a row and a test"),
        ('label = "region"', 'label = "ridge"', "curvature"),
        ('label = "region"', 'against = "pears"', "plain, pairs"),
        ('model = "little-transunet"\n[', 'model = "unet"\n[', "little-transunet"),
        ("edge = 0.5", "edges = 0.5", "edges"),
        ("[tests.own]", "[tests.own]\nkind = 'films'", "simulated"),
        ("[rows.foldit]", "[rows.cyclegan]", "cyclegan finds folds"),
        ("[translations.painted]", "[translations]\npainted = 3\n[other]", "must be tables"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    assert old in TEXT
    with pytest.raises(RecipeError, match=message):
        read(TEXT.replace(old, new, 1), tmp_path)
