"""What to train a translator on, and for how long: TOML in, frozen settings out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engine.errors import RecipeError
from train.settings import find_file, hold, read_table, settings_from
from train.simulate.appearance import STORED, STYLES
from train.translation import TRANSLATORS

RECIPES = Path(__file__).resolve().parent.parent / "recipes" / "translation"
PRECISIONS = ("float32", "bfloat16")
_SMALLEST_PX = 64


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """How pictures are drawn."""

    style: str = "vrcaps"
    """Of the simulated pictures: `vrcaps`, the paper's domain X; `stored`: as the set has them."""
    split: str = "train"
    size: int = 256
    load_size: int = 286
    """Pictures are enlarged to this and cut to `size` at random; equal: they are not."""
    batch: int = 1
    depth_unit_mm: float = 0.0
    """Of one grey level of 16-bit depth pictures, where a folder holds such."""


@dataclass(frozen=True, slots=True)
class TranslationBudget:
    """How long: by the clock, or by steps, and then a run repeats exactly."""

    minutes: float = 0.0
    steps: int = 0
    epochs: float = 200.0
    """Passes through the larger set; counts where the two above are zero."""
    checkpoint_minutes: float = 3.0
    picture_minutes: float = 2.0


@dataclass(frozen=True, slots=True)
class SpeedSettings:
    """What makes a step fast."""

    precision: str = "float32"
    """`bfloat16` where it is safe: twice as fast on a GPU, slower on most processors."""
    compile: bool = False
    channels_last: bool = True


@dataclass(frozen=True, slots=True)
class TranslationRecipe:
    """Everything that decides a run, apart from where pictures lie."""

    name: str
    seed: int = 1
    translator: str = "depth-cyclegan"
    pictures: PictureSettings = field(default_factory=PictureSettings)
    budget: TranslationBudget = field(default_factory=TranslationBudget)
    speed: SpeedSettings = field(default_factory=SpeedSettings)
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """The translator's own, as `Translator.Options` has them."""

    def within(self, steps: int, minutes: float) -> TranslationRecipe:
        """The same with another budget."""
        return replace(self, budget=replace(self.budget, steps=steps, minutes=minutes))


def read_translation_recipe(name: str | Path) -> TranslationRecipe:
    """The recipe `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, a value of the wrong type or out of
            range.
    """
    path = find_file(name, RECIPES, "translation recipe")
    return translation_recipe(read_table(path), path.name)


def translation_recipe(table: Mapping[str, Any], where: str) -> TranslationRecipe:
    """The recipe of a table; `where` it stands, for messages.

    Raises:
        RecipeError: an unknown key, a value of the wrong type or out of range.
    """
    options = table.get("options", {})
    if not isinstance(options, dict):
        raise RecipeError(f"{where}: options must be a table.", "Write [options].")
    known = {name: value for name, value in table.items() if name != "options"}
    settings = settings_from(TranslationRecipe, known, where)
    recipe = replace(settings, options=MappingProxyType(options))
    _check_ranges(recipe, where)
    return recipe


def _check_ranges(recipe: TranslationRecipe, where: str) -> None:
    pictures, budget = recipe.pictures, recipe.budget
    limits = {
        f"pictures.style is one of {', '.join([*STYLES, STORED])}": pictures.style
        in [*STYLES, STORED],
        f"translator is one of {', '.join(TRANSLATORS)}": recipe.translator in TRANSLATORS,
        f"pictures.size is a multiple of 4 from {_SMALLEST_PX}": pictures.size >= _SMALLEST_PX
        and pictures.size % 4 == 0,
        "pictures.load_size is not below pictures.size": pictures.load_size >= pictures.size,
        "pictures.batch is at least 1": pictures.batch >= 1,
        "one of budget.minutes, budget.steps, budget.epochs is positive": max(
            budget.minutes, budget.steps, budget.epochs
        )
        > 0,
        f"speed.precision is one of {', '.join(PRECISIONS)}": recipe.speed.precision in PRECISIONS,
    }
    hold(limits, where)
