"""Measure folds and lumen alike on procedural colons and on colons from CT, and compare."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o DIR [--real DATA] [--colons N] [--anatomy KIND]."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for table and chart")
    parser.add_argument("--real", type=Path, help="folder with meshes_ctcolon and meshes_vrcaps")
    parser.add_argument("--colons", type=int, default=40, help="how many; 40 unless told")
    parser.add_argument("--anatomy", choices=("stretch", "whole"), default="stretch")


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, write anatomy.md, anatomy.json and anatomy.png."""
    from train.commands.train import say
    from train.simulate import distributions

    scans = distributions.measure_scans(options.real) if options.real else {}
    drawn = distributions.measure_procedural(options.colons, anatomy=options.anatomy)
    say(distributions.write_report({distributions.PROCEDURAL: drawn, **scans}, options.out))
