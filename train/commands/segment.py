"""Train a segmenter as the paper does: on simulated, translated or paired pictures.

The same command goes on from the last checkpoint. Under torchrun several GPUs train together.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE --simulated SET [--translated SET] [--real DIR] -o RUN."""
    parser.add_argument("recipe", help="recipe file (TOML) or name: paper, consistency, little")
    parser.add_argument("--simulated", type=Path, required=True, help="simulated set")
    parser.add_argument("--translated", type=Path, help="the same set, by translate apply")
    parser.add_argument("--real", type=Path, help="unlabelled real frames, for consistency")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--pictures", help="instead of the recipe's: simulated, translated, paired")
    parser.add_argument("--network", help="instead of the recipe's")
    parser.add_argument("--steps", type=int, help="instead of the recipe's budget")
    parser.add_argument("--seed", type=int, help="instead of the recipe's")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from dataclasses import replace

    from train.commands.train import say
    from train.segmentation.recipe import check_segmentation_recipe, read_segmentation_recipe
    from train.segmentation.training import PRODUCT, SegmentationPlaces, SegmentationTrainer

    recipe = read_segmentation_recipe(options.recipe)
    if options.pictures is not None:
        drawing = replace(recipe.drawing, pictures=options.pictures)
        recipe = replace(recipe, drawing=drawing)
    if options.network is not None:
        recipe = replace(recipe, network=replace(recipe.network, name=options.network))
    if options.steps is not None:
        recipe = replace(recipe, budget=replace(recipe.budget, steps=options.steps))
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    check_segmentation_recipe(recipe, "the command line")
    places = SegmentationPlaces(options.simulated, options.out, options.translated, options.real)
    SegmentationTrainer(recipe, places, say).run()
    say(f"The segmenter is {options.out / PRODUCT}.")
