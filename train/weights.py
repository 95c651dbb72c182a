"""Weights of one network on disk: safetensors, with what they are written beside them.

No pickle: the file may come from anywhere. Half precision on disk is whole precision in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from engine.errors import RecipeError, RecordingError

State = Mapping[str, Tensor]
Shapes = Mapping[str, tuple[int, ...]]

_NAMED = 8
"""Tensors named in a message; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How weights differ from what a network wants."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[str, ...]

    @classmethod
    def between(cls, found: Shapes, wanted: Shapes) -> Difference:
        """By names, then by shapes where the names agree."""
        return cls(
            tuple(name for name in wanted if name not in found),
            tuple(name for name in found if name not in wanted),
            tuple(
                f"{name} {found[name]} instead of {wanted[name]}"
                for name in wanted
                if name in found and tuple(found[name]) != tuple(wanted[name])
            ),
        )

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.misshapen)

    def _parts(self) -> dict[str, tuple[str, ...]]:
        parts = {
            "missing": self.missing,
            "unexpected": self.unexpected,
            "of another shape": self.misshapen,
        }
        return {title: names for title, names in parts.items() if names}

    def __str__(self) -> str:
        return "; ".join(
            f"{len(names)} {title}: {', '.join(names[:_NAMED])}"
            + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
            for title, names in self._parts().items()
        )

    def report(self) -> str:
        """Every tensor on a line of its own."""
        lines = []
        for title, names in self._parts().items():
            lines += [f"{len(names)} {title}:", *(f"  {name}" for name in names)]
        return "\n".join(lines)


def shapes_of(state: State) -> dict[str, tuple[int, ...]]:
    """Name → shape."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def save_weights(path: Path, state: State, about: Mapping[str, str]) -> Path:
    """Write tensors and what they are, under a temporary name first; returns `path`.

    Args:
        path: the new file.
        state: by the names that the network has.
        about: at least `kind`, which `read_weights` asks for.

    Raises:
        RecordingError: nothing can be written there.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two names for one tensor would be refused: each gets storage of its own.
        separate = {name: tensor.detach().cpu().clone().contiguous()
                    for name, tensor in state.items()}  # fmt: skip
        save_file(separate, partial, dict(about))
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            partial.unlink()
        raise RecordingError(f"{path} cannot be written: {error}.") from error
    return path


def read_weights(
    path: Path, kind: str, remedy: str | None = None
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and what is written beside them.

    Args:
        path: a file of `save_weights`.
        kind: what it must be.
        remedy: how to come by such a file; None: by import.

    Raises:
        RecipeError: absent, damaged, or weights of another kind.
    """
    remedy = remedy or f"Make it with: haustra-train import {kind} FILE -o {path.name}."
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            if about.get("kind") != kind:
                raise RecipeError(
                    f"{path} holds weights of {about.get('kind', 'an unknown kind')!r}, "
                    f"not of {kind!r}.",
                    remedy,
                )
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"{path} holds no weights that can be read: {error}.", remedy) from error


def about_weights(path: Path) -> dict[str, str]:
    """What is written beside the tensors of a file.

    Raises:
        RecipeError: absent or damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            return file.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise RecipeError(
            f"{path} holds no weights that can be read: {error}.",
            "Make them with: haustra-train import KIND FILE -o FILE.safetensors.",
        ) from error


def fill(network: nn.Module, state: State, origin: str) -> None:
    """Load every tensor, strictly; float16 becomes the network's own precision.

    Args:
        network: to be filled.
        state: by name.
        origin: where the weights come from, for messages.

    Raises:
        RecipeError: names or shapes differ; the message tells which.
    """
    difference = Difference.between(shapes_of(state), shapes_of(network.state_dict()))
    if difference:
        raise RecipeError(
            f"{origin} does not fit {type(network).__name__}: {difference}.",
            "Choose weights of this network.",
        )
    with torch.no_grad():
        network.load_state_dict(dict(state))
