"""Measure how well folds keep their identity in simulated video, beside a naive tracker."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SET -o DIR [--bundle B] [--split S] [--every N] [--backend NAME]."""
    parser.add_argument("simulated", type=Path, metavar="SET", help="simulated video with pictures")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for table and strips")
    parser.add_argument("--bundle", type=Path, help="the shipped model unless told")
    parser.add_argument(
        "--split", default="test", help="sequences of which split; test unless told"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="follow every N-th frame only: a slower camera"
    )
    parser.add_argument("--backend", default="openvino", help="openvino unless told")


def run(options: argparse.Namespace) -> None:
    """Follow, print the table, write tracking.md, tracking.json and tracking.jpg."""
    import resources
    from engine.bundle import ModelBundle
    from engine.errors import RecipeError
    from train.simulate.dataset import SimulatedSet
    from train.tracking.study import StudyOptions, study, write_study

    if options.every < 1:
        raise RecipeError(f"--every is 1 or more, not {options.every}.", "Leave it out.")
    bundle = ModelBundle.open(options.bundle or resources.DEFAULT_BUNDLE)
    chosen = StudyOptions(options.split, options.every, options.backend)
    report, picture = study(SimulatedSet(options.simulated), bundle, chosen)
    write_study(report, picture, options.out)
    print(report.table())
