"""Training's own state on disk, written so that a crash leaves the last whole one."""

from __future__ import annotations

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
