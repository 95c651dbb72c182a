from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.recipe import RECIPES, read_recipe


def written(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_reads_under_its_own_name(path: Path) -> None:
    assert read_recipe(path).name == path.stem


def test_settings_come_from_the_file(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, "[budget]\nminutes = 7\n"))
    assert recipe.budget.minutes == 7.0


def test_a_recipe_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path, "")).name == "r"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[budget]\nminute = 7", "Did you mean 'minutes'"),
        ("bugdet = 1", "Did you mean 'budget'"),
        ("budget = 1", "must be a table"),
        ("[budget]\nminutes = 'long'", "must be float, not str"),
        ("[data]\nbatch = 2.5", "must be int, not float"),
        ("[real]\nuse = 1", "must be bool, not int"),
        ("[simulate]\nsize = 100", "multiple of 32"),
        ('[simulate]\ncamera = "box"', "one of colonoscope, endomapper, pinhole"),
        ('[data]\nlabel = "hand"', "one of region, curvature"),
        ("[data]\npasted = 1.5", "data.pasted lies in"),
        ("[data]\nstraight = -0.1", "data.straight lies in"),
        ("[data.others]\nsepia = 0.1", "data.others are of plain"),
        ("[data.others]\nplain = 0.7\nvrcaps = 0.4", "data.others are shares"),
        ("[data.others]\nplain = true", "data: others.plain must be float"),
        ("[data]\nothers = 0.3", "must be a table"),
        ("[tutor]\nweight = -1", "tutor.weight is not negative"),
        ('[simulate]\npictures = "oil"', "one of none, plain, vrcaps"),
        ("[simulate]\nmotion = true", "for simulate.path"),
        ('[simulate]\npath = "maze"', "one of scattered, examination"),
        ("[budget]\nminutes = 0", "positive"),
        ("[optimiser]\naveraging = 1.0", "averaging"),
        ("this is no TOML", "cannot be read"),
    ],
)
def test_a_wrong_recipe_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_recipe(written(tmp_path, text))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="big, depth, frozen, nbi, sim, smoke, student"):
        read_recipe("frist")
