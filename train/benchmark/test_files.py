"""A file of test sets: [tests.NAME] tables, as a benchmark's recipe has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import RecipeError
from train.benchmark.test_sets import TEST_SETS, TestSettings
from train.settings import read_table, settings_from


def read_tests(path: Path) -> tuple[TestSettings, ...]:
    """Test sets in a TOML file; folders are below the file's own unless absolute.

    Raises:
        RecipeError: not TOML, an unknown key or kind, or no test set.
    """
    tables = read_table(path).get("tests")
    if not isinstance(tables, dict) or not tables:
        raise RecipeError(f"{path} names no test sets.", "Add a table [tests.NAME].")
    found = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise RecipeError(f"{path}: tests.{name} is no table.", "Write [tests.NAME].")
        test = settings_from(TestSettings, {**table, "name": name}, f"{path.name}: tests.{name}")
        if test.kind not in TEST_SETS:
            raise RecipeError(
                f"{path.name}: tests.{name}: there is no kind {test.kind!r}.",
                f"Choose one of: {', '.join(TEST_SETS)}.",
            )
        found.append(replace(test, folder=str(path.parent / test.folder)))
    return tuple(found)
