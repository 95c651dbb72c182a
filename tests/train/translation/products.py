"""Untrained translators on disk."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from train.translation import build_translator
from train.translation.product import save_product
from train.translation.recipe import PictureSettings, TranslationRecipe


def tiny_product(
    folder: Path,
    seed: int = 0,
    style: str = "plain",
    translator: str = "cyclegan",
    options: Mapping[str, Any] = MappingProxyType({"width": 4, "blocks": 1}),
) -> Path:
    """A translator as it begins, in the folder."""
    torch.manual_seed(seed)
    recipe = TranslationRecipe(
        "tiny", translator=translator, pictures=PictureSettings(style=style), options=options
    )
    return save_product(folder, build_translator(translator, options), recipe, steps=0)
