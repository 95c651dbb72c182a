from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.depth.recipe import RECIPES, read_depth_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_can_be_read(path: Path) -> None:
    assert read_depth_recipe(path).name == path.stem


def test_an_unknown_recipe_is_refused_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match="one of: colon, smoke"):
        read_depth_recipe("nosuch")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[drawing.styles]\nrich = -1.0", "no share"),
        ("[drawing.styles]\nplain = 0\nvrcaps = 0\nrich = 0\nnbi = 0", "one is positive"),
        ("[drawing]\nbatch = 1", "batch is at least 2"),
        ("[drawing]\ndisturbed = 1.5", "disturbed lies"),
        ("[budget]\nminutes = 0", "is positive"),
        ("[losses]\nscale_invariance = 2", "scale_invariance lies"),
        ("[drawing]\nstyle = 'rich'", "Did you mean 'styles'"),
        ("[drawing", "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_depth_recipe(path)
