"""Make simulated pictures look real.

`train` learns a translator from a simulated set (or a folder with image/ and depth/) and real
pictures that have nothing to do with each other. The same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train` RECIPE --simulated SET --real DIR -o RUN."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    train = actions.add_parser("train", help="learn a translator")
    train.add_argument("recipe", help="recipe file (TOML) or name: colonoscopy, nbi, ..., smoke")
    train.add_argument(
        "--simulated", type=Path, required=True, help="simulated set, or folder of image/ depth/"
    )
    train.add_argument("--real", type=Path, required=True, help="folder with real pictures")
    train.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    train.add_argument("--steps", type=int, help="instead of the recipe's budget")
    train.add_argument("--minutes", type=float, help="instead of the recipe's budget")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from dataclasses import replace

    from train.commands.train import say
    from train.translation.bank import Batches, real_bank
    from train.translation.folders import open_simulated, real_folder
    from train.translation.recipe import find_translation_recipe, read_translation_recipe
    from train.translation.training import TranslationTrainer

    recipe = read_translation_recipe(find_translation_recipe(options.recipe))
    if options.steps or options.minutes:
        budget = replace(recipe.budget, steps=options.steps or 0, minutes=options.minutes or 0.0)
        recipe = replace(recipe, budget=budget)
    pictures = recipe.pictures
    simulated = open_simulated(options.simulated, pictures)
    real = real_bank(real_folder(options.real), pictures.load_size)
    batches = Batches(simulated, real, size=pictures.size, count=pictures.batch, seed=recipe.seed)
    larger = max(len(simulated), len(real))
    say(f"{len(simulated)} simulated and {len(real)} real pictures.")
    TranslationTrainer(recipe, batches, larger, options.out, say).run()
    say(f"The translator is in {options.out / 'translator'}.")
