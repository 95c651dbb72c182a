"""A trained translator on disk: `translator.json` says what it is, `weights.safetensors` holds it.

No pickle: the file may come from anywhere.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.errors import RecipeError, RecordingError
from train.translation import Translator, build_translator
from train.translation.recipe import TranslationRecipe

SCHEMA = 1
_ABOUT, _WEIGHTS = "translator.json", "weights.safetensors"


@dataclass(frozen=True, slots=True)
class About:
    """What a product says of itself."""

    translator: str
    options: dict[str, Any]
    style: str
    """Of the simulated pictures it learned from."""
    size: int
    steps: int
    recipe: str
    schema: int = SCHEMA


def save_product(
    folder: Path, translator: Translator, recipe: TranslationRecipe, steps: int
) -> Path:
    """Write what `translate` needs, in half precision; returns `folder`.

    Raises:
        RecordingError: nothing can be written there.
    """
    about = About(
        recipe.translator, dict(recipe.options), recipe.pictures.style, recipe.pictures.size, steps,
        recipe.name,
    )  # fmt: skip
    state = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in translator.product.state_dict().items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{_WEIGHTS}.part"
        save_file(state, partial)
        partial.replace(folder / _WEIGHTS)
        partial = folder / f"{_ABOUT}.part"
        partial.write_text(json.dumps(asdict(about), indent=1), encoding="utf-8")
        partial.replace(folder / _ABOUT)
    except OSError as error:
        raise RecordingError(f"{folder} cannot be written: {error}.") from error
    return folder


def fingerprint(folder: Path) -> str:
    """SHA-256 of the weights.

    Raises:
        RecipeError: there are none.
    """
    try:
        return hashlib.sha256((folder / _WEIGHTS).read_bytes()).hexdigest()
    except OSError as error:
        raise RecipeError(f"{folder} holds no translator: {error}.", "Train one.") from error


def open_product(folder: Path) -> tuple[Translator, About]:
    """The translator of a folder, ready to translate.

    Raises:
        RecipeError: no product, a damaged one, or weights of another network.
    """
    try:
        about = About(**json.loads((folder / _ABOUT).read_text(encoding="utf-8")))
        if about.schema != SCHEMA:
            raise ValueError(f"layout {about.schema}, this version reads {SCHEMA}")
        translator = build_translator(about.translator, about.options)
        state = load_file(folder / _WEIGHTS)
        translator.product.load_state_dict(
            {name: tensor.float() if tensor.dtype == torch.half else tensor
             for name, tensor in state.items()}
        )  # fmt: skip
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise RecipeError(
            f"{folder} holds no translator that can be used: {error}.",
            "Train one: haustra-train translate train RECIPE -o RUN; it is in RUN/translator.",
        ) from error
    translator.eval()
    return translator, about
