"""Simulate, train, export, seal and measure in one go. What is done already is not repeated."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE -o DIR [--real DIR] [--minutes N]."""
    parser.add_argument("recipe", help="recipe file (TOML) or name: first, smoke")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for everything")
    parser.add_argument("--real", type=Path, help="folder with real frames and the CT colon")
    parser.add_argument("--minutes", type=float, help="of training, instead of the recipe's")


def run(options: argparse.Namespace) -> None:
    """Reproduce."""
    from dataclasses import replace

    from train.commands.train import say
    from train.recipe import read_recipe
    from train.reproduce import reproduce

    recipe = read_recipe(options.recipe)
    if options.minutes is not None:
        recipe = replace(recipe, budget=replace(recipe.budget, minutes=options.minutes, steps=0))
    bundle = reproduce(recipe, options.out, options.real, say)
    say(f"The bundle is {bundle.path}.")
