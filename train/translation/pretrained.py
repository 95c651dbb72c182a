"""Weights of other people's networks, opened before the first step.

Files are safetensors, as `haustra-train import` writes them.
"""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from engine.errors import RecipeError

RANDOM = "random"
"""Instead of a file: weights as they are born. For tests; nothing looks good with them."""


def open_weights(network: nn.Module, file: str, option: str) -> None:
    """Load a file into a network that may have fewer layers than the file.

    Args:
        network: every entry of its state dict must be in the file.
        file: its path; `RANDOM` leaves the network as it is.
        option: the name of the setting that holds `file`; of a file with several networks, the
            one called so is taken.

    Raises:
        RecipeError: no file named, not readable, or of another network.
    """
    if file == RANDOM:
        return
    if not file:
        raise RecipeError(
            f"options.{option} names no file, and this translator is nothing without it.",
            f"Import it (haustra-train import), then set options.{option} to its path.",
        )
    try:
        found = load_file(Path(file))
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"{file} cannot be read as safetensors: {error}.", "Import the checkpoint again."
        ) from error
    prefix = f"{option}."
    own = {name.removeprefix(prefix): each for name, each in found.items()
           if name.startswith(prefix)}  # fmt: skip
    found = own or found
    wanted = network.state_dict()
    wrong = [name for name, value in wanted.items() if not _fits(found.get(name), value)]
    if wrong:
        raise RecipeError(
            f"{file} is of another network: {wrong[0]} is missing or of another shape"
            f" ({len(wrong)} of {len(wanted)} are).",
            f"options.{option} needs another file.",
        )
    network.load_state_dict({name: found[name] for name in wanted})


def _fits(found: Tensor | None, wanted: Tensor) -> bool:
    return found is not None and found.shape == wanted.shape
