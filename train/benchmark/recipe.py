"""What a benchmark compares: one recipe file with everything that decides its table.

[simulate]                the simulated set, as in other recipes
[translation]             of all translators: pictures, budget, speed
[translations.NAME]       translator (NAME unless told) and its options
[training]                of all segmenters, as in segmentation recipes
[rows.NAME]               model: a network, or a translator that finds folds; pictures:
                          simulated, translated, paired, or real for such translators;
                          translation: whose; anything of [training], or options.
                          model = "bundle": bundle, a sealed one, which is not trained
[tests.NAME]              a test set: `train.benchmark.test_sets.TestSettings`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import RecipeError
from train.benchmark.bundles import BUNDLE, BundleChoice
from train.benchmark.test_sets import TEST_SETS, TestSettings
from train.segmentation.recipe import (
    Pictures,
    SegmentationRecipe,
    check_segmentation_recipe,
)
from train.settings import find_file, hold, read_table, settings_from
from train.simulate.dataset import Label
from train.simulate.farm import SimulationRecipe
from train.translation import TRANSLATORS, translator_kind
from train.translation.recipe import TranslationRecipe, translation_recipe

RECIPES = Path(__file__).resolve().parent.parent / "recipes" / "benchmark"
REAL = "real"
"""Pictures of a translator that finds folds: it needs no labels for them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    model: str
    pictures: str
    translation: str
    """Empty: none."""
    training: SegmentationRecipe | TranslationRecipe | BundleChoice
    """Of a network; of a translator that finds folds; none, but which bundle."""

    @property
    def needs_translation(self) -> bool:
        """It learns from translated pictures."""
        return self.pictures in (Pictures.TRANSLATED, Pictures.PAIRED)


@dataclass(frozen=True, slots=True)
class BenchmarkSettings:
    """What is said of the whole."""

    name: str
    seeds: int = 3
    """Every row is trained as often, with seeds 1, 2, ..."""
    label: str = Label.CURVATURE.value
    """What counts as fold, in training and in our own test sets."""
    against: str = ""
    """Row that differences are taken from; empty: the first."""
    simulate: SimulationRecipe = field(default_factory=SimulationRecipe)


@dataclass(frozen=True, slots=True)
class BenchmarkRecipe:
    """Everything that decides a table, apart from where foreign pictures lie."""

    settings: BenchmarkSettings
    translations: Mapping[str, TranslationRecipe]
    rows: tuple[Row, ...]
    tests: tuple[TestSettings, ...]

    @property
    def against(self) -> str:
        """Name of the row that differences are taken from."""
        return self.settings.against or self.rows[0].name


def read_benchmark(name: str | Path) -> BenchmarkRecipe:
    """The benchmark `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, a value of the wrong type or out of
            range, or a row with a translation that is not described.
    """
    path = find_file(name, RECIPES, "benchmark")
    table = read_table(path)
    shared, training = table.pop("translation", {}), table.pop("training", {})
    parts = {part: _tables(table, part, path.name) for part in ("translations", "rows", "tests")}
    settings = settings_from(BenchmarkSettings, table, path.name)
    training = _merged(training, {"drawing": {"label": settings.label}})
    recipe = BenchmarkRecipe(
        settings,
        {
            name: _translation(name, shared, each, f"{path.name}: translations.{name}")
            for name, each in parts["translations"].items()
        },
        tuple(
            _row(name, each, (training, shared), f"{path.name}: rows.{name}")
            for name, each in parts["rows"].items()
        ),
        tuple(
            settings_from(
                TestSettings,
                {"label": settings.label, **each, "name": name},
                f"{path.name}: tests.{name}",
            )
            for name, each in parts["tests"].items()
        ),
    )
    _check(recipe, path.name)
    return recipe


def _tables(table: dict[str, Any], part: str, where: str) -> dict[str, dict[str, Any]]:
    found = table.pop(part, {})
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise RecipeError(f"{where}: {part} must be tables.", f"Write [{part}.NAME].")
    return found


def _translation(
    name: str, shared: Mapping[str, Any], own: Mapping[str, Any], where: str
) -> TranslationRecipe:
    return translation_recipe({**shared, "translator": name, **own, "name": name}, where)


def _row(
    name: str, own: dict[str, Any], shared: tuple[dict[str, Any], dict[str, Any]], where: str
) -> Row:
    """`shared`: of segmenters, of translators."""
    model, translation = own.pop("model", name), own.pop("translation", "")
    if model == BUNDLE:
        return Row(name, model, "", "", settings_from(BundleChoice, own, where))
    if model in TRANSLATORS:
        hold({f"{model} finds folds": hasattr(translator_kind(model), "segmenter")}, where)
        pictures = own.pop("pictures", REAL)
        training = translation_recipe(
            {**shared[1], "translator": model, **own, "name": name}, where
        )
        return Row(name, model, pictures, translation, training)
    pictures = own.pop("pictures", Pictures.TRANSLATED if translation else Pictures.SIMULATED)
    chosen = {"network": {"name": model}, "drawing": {"pictures": str(pictures)}}
    table = _merged(_merged(shared[0], chosen), own)
    recipe = settings_from(SegmentationRecipe, {**table, "name": name}, where)
    check_segmentation_recipe(recipe, where)
    return Row(name, model, recipe.drawing.pictures, translation, recipe)


def _merged(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables are merged, too."""
    both = dict(table)
    for key, value in changes.items():
        inner = both.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            value = _merged(inner, value)
        both[key] = value
    return both


def _check(recipe: BenchmarkRecipe, where: str) -> None:
    names = [row.name for row in recipe.rows]
    known = ", ".join(recipe.translations) or "none"
    hold(
        {
            "seeds is at least 1": recipe.settings.seeds >= 1,
            f"label is one of {', '.join(Label)}": recipe.settings.label in list(Label),
            "there is a row and a test": bool(names and recipe.tests),
            f"against is one of {', '.join(names)}": recipe.settings.against in ["", *names],
            **{
                f"rows.{row.name}: translation is one of {known}": row.translation
                in ["", *recipe.translations]
                for row in recipe.rows
            },
            **{
                f"rows.{row.name} names its translation": bool(row.translation)
                for row in recipe.rows
                if row.needs_translation
            },
            **{
                f"tests.{test.name} is of a kind of {', '.join(TEST_SETS)}": test.kind in TEST_SETS
                for test in recipe.tests
            },
        },
        where,
    )
