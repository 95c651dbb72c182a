"""Train our own depth network, or measure how wrong a depth network is.

`train` learns from a simulated set and goes on where it stopped. `evaluate` prints errors after
scale alignment with 95 % intervals over sequences, on a simulated set or on a recording.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RecipeError

if TYPE_CHECKING:
    from train.depth.accuracy import KnownDepth


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train` RECIPE --data SET -o RUN, or `evaluate` NAME --data SET | --recording DIR."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    train = actions.add_parser("train", help="learn depth from a simulated set")
    train.add_argument("recipe", help="recipe file (TOML) or name: colon, smoke")
    train.add_argument("--data", type=Path, required=True, help="simulated set")
    train.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    train.add_argument("--minutes", type=float, help="instead of the recipe's budget")
    evaluate = actions.add_parser("evaluate", help="measure a depth network")
    evaluate.add_argument("name", help="colon, dispresnet, depth-anything, or falloff")
    evaluate.add_argument("--weights", type=Path, help="those that travel along unless told")
    evaluate.add_argument("--data", type=Path, help="simulated set: its test frames")
    evaluate.add_argument("--style", default="rich", help="of its pictures; rich unless told")
    evaluate.add_argument("--recording", type=Path, metavar="DIR", help="frames with depth")
    evaluate.add_argument("--as", dest="layout", default="c3vd", help="layout of the recording")
    evaluate.add_argument("--sheet", type=Path, help="picture to draw: frames, truth, prediction")


def run(options: argparse.Namespace) -> None:
    """Train or measure."""
    if options.action == "train":
        _train(options)
    else:
        _evaluate(options)


def _train(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from train.commands.train import say
    from train.depth.recipe import read_depth_recipe
    from train.depth.training import DepthTrainer
    from train.simulate.dataset import SimulatedSet

    recipe = read_depth_recipe(options.recipe)
    if options.minutes is not None:
        recipe = replace(recipe, budget=replace(recipe.budget, minutes=options.minutes, steps=0))
    product = DepthTrainer(recipe, SimulatedSet(options.data), options.out, say).run()
    say(f"The depth network is {product}.")


def _evaluate(options: argparse.Namespace) -> None:
    from train.depth import open_estimator
    from train.depth.accuracy import FIGURES, measure
    from train.depth.sheet import depth_sheet
    from train.sheets import save_picture

    if (options.data is None) == (options.recording is None):
        raise RecipeError("Measure on what?", "Name one of --data SET and --recording DIR.")
    estimator = open_estimator(options.name, options.weights)
    pictures = list(_simulated(options) if options.data else _recorded(options))
    found = measure(estimator, pictures)
    print(f"| {' | '.join(FIGURES)} | pictures | sequences |")
    print("|---" * (len(FIGURES) + 2) + "|")
    print(found.row())
    if options.sheet is not None:
        shown = pictures[:: max(1, len(pictures) // 8)]
        print(f"Drawn: {save_picture(options.sheet, depth_sheet(estimator, shown))}")


def _simulated(options: argparse.Namespace) -> Iterator[KnownDepth]:
    from train.depth.known import known_depths
    from train.simulate.appearance import check_style
    from train.simulate.dataset import SimulatedSet

    check_style(options.style)
    data = SimulatedSet(options.data)
    return known_depths(data, data.frames("test"), options.style, seed=0)


def _recorded(options: argparse.Namespace) -> Iterator[KnownDepth]:
    from train.depth.known import recorded_depths
    from train.simulate.layouts import open_recording

    return recorded_depths(open_recording(options.layout, options.recording))
