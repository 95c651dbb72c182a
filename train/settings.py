"""From tables, as TOML gives them, to frozen settings. Unknown keys are errors, never ignored."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from engine.errors import RecipeError

_Settings = TypeVar("_Settings")


def settings_from(kind: type[_Settings], table: Mapping[str, Any], where: str) -> _Settings:
    """The dataclass `kind` filled from a table; keys that are missing keep their defaults.

    Args:
        kind: a dataclass of numbers, strings, booleans and further dataclasses.
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
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise RecipeError(
            f"{where} must be {kind.__name__}, not {type(value).__name__}.", "Change the value."
        )
    return value
