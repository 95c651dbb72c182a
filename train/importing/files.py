"""Files from outside: pickled state dicts and arrays of NumPy, opened so that nothing runs.

A pickle is a program. `weights_only` lets it build tensors and containers of them and refuses the
rest; a few records of training runs (`argparse.Namespace`, numbers of NumPy) are let through,
because public files carry them beside the weights and they only hold values.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import RecipeError

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def read_state(path: Path, unwrap: Sequence[str] = ("state_dict",)) -> dict[str, Tensor]:
    """The tensors of one network.

    Args:
        path: a file of `torch.save`, or safetensors.
        unwrap: names under which the tensors may lie, outermost first; each may be absent.

    Raises:
        RecipeError: absent, damaged, with code in it, or not only tensors.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    return tensors_of(read_pickle(path), path.name, unwrap)


def read_pickle(path: Path) -> Any:
    """What a file of `torch.save` holds; runs no code of it.

    Raises:
        RecipeError: absent, damaged, or with code in it.
    """
    try:
        with torch.serialization.safe_globals(_harmless()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise RecipeError(f"There is no file {path}.", "Check the name.") from error
    except pickle.UnpicklingError as error:
        refused = re.search(r"GLOBAL (\S+)", str(error))
        if refused is None:
            # PyTorch's own message advises to open the file carelessly: it is not passed on.
            raise _damaged(path, "no tensors of torch.save") from error
        raise RecipeError(
            f"{path} holds more than tensors: opening it would run {refused[1]}. Nothing was run.",
            "Ask its author for a plain state dict or safetensors.",
        ) from error
    except Exception as error:
        raise _damaged(path, str(error)) from error


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an `.npz`; runs no code of it.

    Raises:
        RecipeError: absent, damaged, or with objects in it.
    """
    try:
        # Opened here: NumPy forgets to close what it cannot read.
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("one array, not several")
            arrays = {name: found[name] for name in found.files}
        others = [name for name, each in arrays.items() if not isinstance(each, np.ndarray)]
        if others:
            raise ValueError(f"{others[0]} is no array")
        return arrays
    except FileNotFoundError as error:
        raise RecipeError(f"There is no file {path}.", "Check the name.") from error
    except Exception as error:
        raise _damaged(path, str(error)) from error


def tensors_of(loaded: Any, origin: str, unwrap: Sequence[str]) -> dict[str, Tensor]:
    """Tensors by name, unwrapped, without the `module.` of a parallel run.

    Raises:
        RecipeError: something else.
    """
    for name in unwrap:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(name), Mapping):
            loaded = loaded[name]
    if not isinstance(loaded, Mapping) or not loaded:
        raise RecipeError(f"{origin} holds no tensors by name.", "Name a state dict.")
    others = [str(name) for name, value in loaded.items() if not isinstance(value, Tensor)]
    if others:
        raise RecipeError(
            f"{origin} holds things that are no tensors: {', '.join(others[:8])}.",
            "Name the file of the network's weights.",
        )
    return without_prefix({str(name): value for name, value in loaded.items()}, "module.")


def without_prefix(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Names less a prefix that all of them have; else as they are."""
    if not all(name.startswith(prefix) for name in state):
        return dict(state)
    return {name.removeprefix(prefix): tensor for name, tensor in state.items()}


def without_statistics(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Less what files from before PyTorch 0.4 carry for instance norms that use none of it."""
    return {name: each for name, each in state.items() if not name.endswith(_STATISTICS)}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except FileNotFoundError as error:
        raise RecipeError(f"There is no file {path}.", "Check the name.") from error
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, reason: str) -> RecipeError:
    first = (reason.splitlines() or ["it ends too soon"])[0]
    return RecipeError(
        f"{path} cannot be read: it is cut short, damaged or of another format ({first[:160]}).",
        "Fetch it again and compare its size.",
    )


def _harmless() -> list[Any]:
    """Classes that only hold values, under the names that old and new NumPy give them."""
    scalar = np._core.multiarray.scalar  # type: ignore[attr-defined]
    numbers = [type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?")]
    return [
        argparse.Namespace, np.dtype, *numbers,
        (scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"),
    ]  # fmt: skip
