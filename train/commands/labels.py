"""Hold fold labels from curvature against the generator's own folds, on colons of no recipe."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o DIR [--colons N] [--frames N] [--first N]."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for table and sheet")
    parser.add_argument("--colons", type=int, default=20, help="how many; 20 unless told")
    parser.add_argument("--frames", type=int, default=24, help="views per colon; 24 unless told")
    parser.add_argument("--first", type=int, default=100, help="number of the first colon")


def run(options: argparse.Namespace) -> None:
    """Compare, print the table, write labels.md, labels.json and labels.png."""
    from train.commands.train import say
    from train.simulate.agreement import compare_colons, write_report

    comparisons = compare_colons(range(options.first, options.first + options.colons),
                                 options.frames)  # fmt: skip
    say(write_report(comparisons, options.out))
