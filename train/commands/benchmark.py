"""Reproduce the paper's table: models, training sets, translations and test sets of a recipe.

Simulates, translates, trains and measures what is not there yet, cell by cell; the same command
goes on where it stopped. Test sets of other people are looked for in --tests; what is not there is
left out, and the table says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE -o OUT [--real DIR] [--tests DIR] [--seeds N]."""
    parser.add_argument("recipe", help="recipe file (TOML) or name: paper, little")
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help="for sets, runs, cells and the table; keep it outside any repository",
    )  # fmt: skip
    parser.add_argument("--real", type=Path, help="real frames without labels to learn from")
    parser.add_argument("--tests", type=Path, help="folder of test sets that the recipe names")
    parser.add_argument("--seeds", type=int, help="instead of the recipe's")


def run(options: argparse.Namespace) -> None:
    """Run it and print the table."""
    from dataclasses import replace

    from train.benchmark.preparation import Workshop
    from train.benchmark.recipe import read_benchmark
    from train.benchmark.running import Benchmark
    from train.commands.train import say
    from train.settings import hold

    recipe = read_benchmark(options.recipe)
    if options.seeds is not None:
        hold({"--seeds is at least 1": options.seeds >= 1}, "The command line")
        recipe = replace(recipe, settings=replace(recipe.settings, seeds=options.seeds))
    report = Benchmark(Workshop(recipe, options.out, options.real, say), options.tests).run()
    print(report.text())
