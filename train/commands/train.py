"""Train a network on a simulated set. The same command goes on from the last checkpoint.

Several processes train one network together under torchrun:
torchrun --nproc-per-node 2 -m train train RECIPE --data SET -o RUN
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE --data SET -o RUN."""
    parser.add_argument("recipe", help="recipe file (TOML) or name: first, smoke")
    parser.add_argument("--data", type=Path, required=True, help="simulated set")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--real", type=Path, help="folder with real frames; none: skipped")
    parser.add_argument("--weights", help="file by haustra-train import to start from")
    parser.add_argument("--minutes", type=float, help="instead of the recipe's budget")
    parser.add_argument("--restart", action="store_true", help="forget an earlier checkpoint")


def run(options: argparse.Namespace) -> None:
    """Train."""
    from dataclasses import replace

    from train.loop import CHECKPOINT, LOG, RunPlaces, Trainer
    from train.recipe import read_recipe

    recipe = read_recipe(options.recipe)
    if options.minutes is not None:
        recipe = replace(recipe, budget=replace(recipe.budget, minutes=options.minutes, steps=0))
    if options.weights is not None:
        recipe = replace(recipe, network=replace(recipe.network, weights=options.weights))
    if options.restart:
        for name in (CHECKPOINT, LOG):
            (options.out / name).unlink(missing_ok=True)
    Trainer(recipe, RunPlaces(options.data, options.out, options.real), say).run()


def say(text: str) -> None:
    """One line of progress, at once."""
    print(text, flush=True)
