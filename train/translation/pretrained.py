"""Weights of other people's networks, opened before the first step.

Files are written by `haustra-train import`: several networks in one, each under its own prefix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import nn

from engine.errors import RecipeError
from train.weights import State, fill, read_weights

RANDOM = "random"
"""Instead of a file: weights as they are born. For tests; nothing looks good with them."""


def open_parts(
    parts: Mapping[str, nn.Module], file: str, kinds: Sequence[str], needed: Sequence[str]
) -> None:
    """Load networks from one file; a network may have fewer layers than the file.

    Args:
        parts: networks by their prefix in the file.
        file: its path; `RANDOM` leaves the networks as they are.
        kinds: what the file may be.
        needed: prefixes that must be there; others are loaded where they are.

    Raises:
        RecipeError: no file named, not readable, of another kind or of other networks.
    """
    if file == RANDOM:
        return
    if not file:
        raise RecipeError(
            "options.weights names no file, and this translator is nothing without it.",
            f"Make one: haustra-train import {kinds[0]} FILES... -o {kinds[0]}.safetensors.",
        )
    state = _read(Path(file), kinds)
    for part, network in parts.items():
        prefix = f"{part}."
        found = {
            name: state[prefix + name] for name in network.state_dict() if prefix + name in state
        }
        if found or part in needed:
            fill(network, found, f"{part} of {file}")


def _read(path: Path, kinds: Sequence[str]) -> State:
    """Tensors of a file of one of these kinds."""
    first, *others = kinds
    try:
        return read_weights(path, first)[0]
    except RecipeError:
        if not others:
            raise
    return _read(path, others)
