"""Fit what tells pictures that can be trusted from blurred, covered and other bad ones."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SET [--real DIR] [--count N] -o OUT."""
    parser.add_argument("simulated", type=Path, metavar="SET", help="simulated set")
    parser.add_argument("--real", type=Path, help="folder with the real frames")
    parser.add_argument(
        "--count", type=int, default=200, help="pictures of each kind at most; 200 unless told"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="for trust.json and .md")


def run(options: argparse.Namespace) -> None:
    """Fit, measure, print the table; the constants are in trust.json."""
    from train.trust import report_trust, write_trust

    report = report_trust(options.simulated, options.real, options.count)
    write_trust(report, options.out)
    print(report.table())
