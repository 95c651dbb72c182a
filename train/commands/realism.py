"""Measure how real simulated pictures look: colour, detail and deep features beside real frames."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """SET --real DIR -o OUT [--frames N] [--styles plain,rich] [--seed N]."""
    parser.add_argument("simulated", type=Path, metavar="SET", help="simulated set")
    parser.add_argument("--real", type=Path, required=True, help="folder with the real frames")
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help="for the table, charts and sheets; keep out of any repo, one sheet shows real frames",
    )  # fmt: skip
    parser.add_argument("--frames", type=int, default=300, help="of each set; 300 unless told")
    parser.add_argument(
        "--styles",
        default="plain,rich",
        help="of plain, vrcaps, rich, nbi, with commas between; plain,rich unless told",
    )
    parser.add_argument("--seed", type=int, default=1, help="of every draw; 1 unless told")


def run(options: argparse.Namespace) -> None:
    """Compare."""
    from train.realism import RealismOptions, measure_realism

    chosen = RealismOptions(
        simulated=options.simulated,
        real=options.real,
        out=options.out,
        frames=options.frames,
        styles=tuple(name.strip() for name in options.styles.split(",")),
        seed=options.seed,
    )
    print(measure_realism(chosen).table())
