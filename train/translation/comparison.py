"""Several translators held against each other: trained alike, judged together, on one sheet.

A comparison is a recipe whose rows differ in translator and options alone: the same pictures in the
same order, the same budget. What is finished is not trained again, so one command goes on after an
interruption, or with a row or a seed more.

OUT/<row>/seed-<n>/     a run of `train.translation.training` each
OUT/translation.md      the table; .csv and .json the same for programs
OUT/sheet.jpg           all translators side by side on the same scenes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import RecipeError
from train.settings import find_file, hold, read_table
from train.translation.bank import Batches, RealBank, SimulatedBank
from train.translation.recipe import TranslationRecipe, translation_recipe
from train.translation.training import PRODUCT, TranslationTrainer

COMPARISONS = Path(__file__).resolve().parent.parent / "recipes" / "comparison"

Rows = Mapping[str, TranslationRecipe]
"""Name of a row → its recipe, in the order of the table."""
Say = Callable[[str], None]


def read_comparison(name: str | Path) -> Rows:
    """The rows of a comparison: what it says of all, with the options of each.

    `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, no rows, an unknown key, a value of the wrong type or
            out of range.
    """
    path = find_file(name, COMPARISONS, "comparison")
    table = read_table(path)
    rows = table.pop("rows", None)
    if not isinstance(rows, dict) or not rows:
        raise RecipeError(f"{path.name} has no rows.", "Write [rows.NAME] for each translator.")
    hold({"a row has nothing but translator and options": all(
        isinstance(row, dict) and row.keys() <= {"translator", "options"} for row in rows.values()
    )}, path.name)  # fmt: skip
    return {
        name: translation_recipe(
            {**table, "translator": name, **row, "name": name}, f"{path.name}: rows.{name}"
        )
        for name, row in rows.items()
    }


def chosen_rows(rows: Rows, names: Sequence[str]) -> Rows:
    """Those called `names`, in their own order; all, where none is named.

    Raises:
        RecipeError: there is no such row.
    """
    unknown = [name for name in names if name not in rows]
    if unknown:
        raise RecipeError(f"There is no row {unknown[0]!r}.", f"Choose of: {', '.join(rows)}.")
    return {name: recipe for name, recipe in rows.items() if not names or name in names}


@dataclass(frozen=True, slots=True)
class Contest:
    """What all rows learn from, and how often each learns anew."""

    simulated: SimulatedBank
    real: RealBank
    seeds: Sequence[int]
    out: Path

    def train(self, rows: Rows, say: Say) -> Trained:
        """Every row with every seed, seeds outside, so that a table is complete early.

        Raises:
            RecipeError: no row can be trained with any seed; why not the first.
        """
        runs: dict[str, list[Path]] = {name: [] for name in rows}
        failed: dict[str, str] = {}
        for seed in self.seeds:
            for name, recipe in rows.items():
                if name in failed:
                    continue
                run = self.out / name / f"seed-{seed}"
                try:
                    seeded = replace(recipe, seed=seed)
                    batches = Batches.of(seeded, self.simulated, self.real)
                    TranslationTrainer(seeded, batches, run, say).run()
                except RecipeError as error:
                    say(f"{name} is left out. {error}")
                    failed[name] = str(error)
                    continue
                runs[name].append(run / PRODUCT)
        if not any(runs.values()):
            first = next(iter(failed))
            raise RecipeError(f"No row can be trained. {first}: {failed[first]}")
        return Trained({name: found for name, found in runs.items() if found}, failed)


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it."""

    products: Mapping[str, Sequence[Path]]
    """Row → folders of its translators, one a seed."""
    failed: Mapping[str, str]
    """Row → why it has none, or not of all seeds."""
