"""Render our own benchmark: procedural colons and CT anatomy that nobody trained on.

Every set is drawn plain, rich and, with --translator, translated; a sheet of views with their
labels lies in `sheets`. Called again it goes on where it stopped. `haustra-train benchmark public
--tests DIR -o OUT` scores a bundle on them.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o DIR [--meshes DIR] [--translator DIR] [--workers N]."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for all sets")
    parser.add_argument(
        "--meshes", type=Path, help="folder with the CT colons; without it they are left out"
    )
    parser.add_argument("--translator", type=Path, help="a trained translator, for a third look")
    parser.add_argument("--workers", type=int, help="processes; as many as cores unless told")


def run(options: argparse.Namespace) -> None:
    """Make what is not there yet."""
    from train.benchmark.public import PublicBenchmark, PublicPlaces
    from train.commands.train import say
    from train.simulate.farm import Workers

    places = PublicPlaces(options.out, options.meshes, options.translator, Workers(options.workers))
    PublicBenchmark().make(places, say)
