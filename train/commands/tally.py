"""Count the failures that a person noted on contact sheets of real frames.

`haustra-train evaluate BUNDLE --real DATA --contact DIR` writes sheets and a tally.csv to fill in.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """TALLY [TALLY ...]."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("tallies", metavar="TALLY", nargs="+", type=Path, help="a tally.csv")


def run(options: argparse.Namespace) -> None:
    """Print one table with a column a tally."""
    from train.tally import read_tally, tally_table

    print(tally_table({str(path): read_tally(path) for path in options.tallies}))
