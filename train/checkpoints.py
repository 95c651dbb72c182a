"""Training's own state on disk, written so that a crash leaves the last whole one, and its log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from engine.errors import RecipeError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings, containers of them) atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state written by `save_checkpoint`; runs no code from the file.

    Raises:
        RecipeError: absent or unreadable.
    """
    try:
        return cast(dict[str, Any], torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError as error:
        raise RecipeError(f"There is no checkpoint {path}.", "Train first.") from error
    except Exception as error:
        raise RecipeError(
            f"The checkpoint {path} cannot be read: {error}.", "Delete it and train again."
        ) from error


def checkpoint_of(path: Path, recipe: object) -> dict[str, Any] | None:
    """The state to go on from, whose entry `recipe` must be this; None where there is no file.

    Raises:
        RecipeError: unreadable, or of another recipe.
    """
    if not path.exists():
        return None
    state = load_checkpoint(path)
    if state["recipe"] != recipe:
        raise RecipeError(
            f"{path.parent} holds a run of another recipe.", "Choose another folder, or delete it."
        )
    return state


def log_progress(path: Path, step: int, elapsed_s: float, entry: Mapping[str, Any]) -> None:
    """Append one object, as a line, to the log of a run."""
    line = {"step": step, "elapsed_s": round(elapsed_s, 1)} | dict(entry)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def need_numbers(losses: Mapping[str, float], step: int) -> None:
    """Refuse to go on with losses that are infinite, or no numbers.

    Raises:
        RecipeError: one is.
    """
    lost = [name for name, value in losses.items() if not abs(value) < 1e30]
    if lost:
        raise RecipeError(
            f"The loss {lost[0]!r} is no number any more at step {step}.",
            "Lower the learning rate, or use float32; the last checkpoint is still good.",
        )
