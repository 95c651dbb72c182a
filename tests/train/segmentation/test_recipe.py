"""Recipes that travel with the package, and values that are refused."""

from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.segmentation.recipe import RECIPES, read_segmentation_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_that_travels_with_the_package_is_sound(path: Path) -> None:
    assert read_segmentation_recipe(path).name == path.stem


def test_the_papers_recipe_is_the_papers() -> None:
    recipe = read_segmentation_recipe("paper")
    assert recipe.network.name == "endofm-transunet"
    assert (recipe.drawing.pictures, recipe.drawing.label) == ("paired", "curvature")
    assert (recipe.budget.epochs, recipe.budget.steps) == (150, 0)
    descent = recipe.descent
    assert (descent.kind, descent.learning_rate, descent.power) == ("sgd", 1e-2, 0.9)
    assert (recipe.terms.entropy, recipe.terms.dice, recipe.terms.consistency) == (0.5, 0.5, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[network]\nname = 'unet'", "endofm-transunet"),
        ("[drawing]\nbatch = 3", "even"),
        ("[drawing]\npictures = 'both'", "paired"),
        ("[budget]\nepochs = 0.0", "positive"),
        ("[descent]\nkind = 'adam'", "sgd or adamw"),
        ("[terms]\naveraging = 1.0", "averaging"),
        ("[descent]\nrate = 1.0", "unknown key 'rate'"),
    ],
)
def test_values_that_cannot_be_trained_with_are_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_segmentation_recipe(tmp_path / "bad.toml")
