"""From tables, as TOML gives them, to frozen settings. Unknown keys are errors, never ignored."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from engine.errors import RecipeError

_Settings = TypeVar("_Settings")


def find_file(name: str | Path, folder: Path, kind: str) -> Path:
    """A recipe file: a path, or the name of one of `folder`, which travels with the package.

    Raises:
        RecipeError: neither exists; `kind` says of what.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = folder / f"{name}.toml"
    if shipped.is_file():
        return shipped
    known = ", ".join(sorted(path.stem for path in folder.glob("*.toml")))
    raise RecipeError(f"There is no {kind} {name}.", f"Give a file, or one of: {known}.")


def read_table(path: Path) -> dict[str, Any]:
    """A TOML file as tables; without a `name` it is called like its file.

    Raises:
        RecipeError: not to be read, or not TOML.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}.", "Check the file.") from error
    return {"name": path.stem} | table


def hold(rules: Mapping[str, bool], where: str) -> None:
    """Refuse what breaks one of the rules: sentences, and whether they hold.

    Raises:
        RecipeError: the first that does not.
    """
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise RecipeError(f"{where} breaks a rule: {broken[0]}.", "Change the value.")


def settings_from(kind: type[_Settings], table: Mapping[str, Any], where: str) -> _Settings:
    """The dataclass `kind` filled from a table; keys that are missing keep their defaults.

    Args:
        kind: a dataclass of numbers, strings, booleans, tables of one of these, and further
            dataclasses.
        table: its values by name.
        where: for messages: the file, and the table in it.

    Raises:
        RecipeError: an unknown key, or a value of the wrong type.
    """
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1, cutoff=0.0)
            raise RecipeError(f"{where} has an unknown key {key!r}.", f"Did you mean {close[0]!r}?")
        values[key] = _value(hints[key], value, f"{where}: {key}")
    return kind(**values)


def _value(kind: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if not isinstance(value, dict):
            raise RecipeError(f"{where} must be a table.", f"Write [{where.split(': ')[-1]}].")
        return settings_from(kind, value, where)
    if get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise RecipeError(f"{where} must be a table.", f"Write [{where.split(': ')[-1]}].")
        return {
            key: _value(get_args(kind)[1], each, f"{where}.{key}") for key, each in value.items()
        }
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise RecipeError(
            f"{where} must be {kind.__name__}, not {type(value).__name__}.", "Change the value."
        )
    return value
