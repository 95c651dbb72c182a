"""Untrained translators on disk."""

from pathlib import Path

import torch

from train.translation import build_translator
from train.translation.product import save_product
from train.translation.recipe import PictureSettings, TranslationRecipe


def tiny_product(folder: Path, seed: int = 0, style: str = "plain") -> Path:
    """A CycleGAN as it begins, in the folder."""
    torch.manual_seed(seed)
    options = {"width": 4, "blocks": 1}
    recipe = TranslationRecipe(
        "tiny", translator="cyclegan", pictures=PictureSettings(style=style), options=options
    )
    return save_product(folder, build_translator("cyclegan", options), recipe, steps=0)
