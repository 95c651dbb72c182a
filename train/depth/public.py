"""Weights of other people's networks: theirs to give, so none travel with the package."""

from __future__ import annotations

from pathlib import Path

from engine.errors import RecipeError


def needed(weights: Path | None, kind: str, published: str) -> Path:
    """The file of weights.

    Args:
        weights: as named by the user, if at all.
        kind: of `train.importing.KINDS`.
        published: the file to import, with the options it needs.

    Raises:
        RecipeError: none was named.
    """
    if weights is None:
        raise RecipeError(
            f"No weights of {kind} travel with the package.",
            f"Fetch them from their authors, run: haustra-train import {kind} {published} "
            f"-o {kind}.safetensors, and name that file (in a recipe: options.depth.weights).",
        )
    return weights
