from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.translation.recipe import RECIPES, TranslationRecipe, read_translation_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_reads_under_its_own_name(path: Path) -> None:
    assert read_translation_recipe(path).name == path.stem


def test_the_translators_own_options_are_kept_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[options.cycle]\nwidth = 8\n")
    assert read_translation_recipe(path).options == {"cycle": {"width": 8}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("translater = 'x'", "translator"),
        ("translator = 'painter'", "one of cyclegan"),
        ("options = 3", "must be a table"),
        ("[pictures]\nsize = 66", "multiple of 4"),
        ("[pictures]\nload_size = 100", "not below"),
        ("[pictures]\nbatch = 0", "at least 1"),
        ("[pictures]\nstyle = 'oil'", "pictures.style"),
        ("[budget]\nepochs = 0", "positive"),
        ("[speed]\nprecision = 'half'", "float32"),
        ("not toml", "cannot be read"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_translation_recipe(path)


def test_another_budget_leaves_the_rest_as_it_was() -> None:
    recipe = TranslationRecipe("mine", seed=4)
    found = recipe.within(steps=0, minutes=2.0)
    assert (found.budget.steps, found.budget.minutes) == (0, 2.0)
    assert found.within(recipe.budget.steps, recipe.budget.minutes) == recipe


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match=r"colonoscopy, .*laparoscopy, .*smoke"):
        read_translation_recipe("colonscopy")
