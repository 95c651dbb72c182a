"""Render a simulated withdrawal as a video, such as the demo clip."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o OUT.mp4 and what to film."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="video to write (MP4)")
    parser.add_argument("--seconds", type=float, default=12.0, help="12 unless told")
    parser.add_argument("--anatomy", type=int, default=11, help="seed of the colon")
    parser.add_argument("--look", type=int, default=33, help="seed of tissue and light")


def run(options: argparse.Namespace) -> None:
    """Film."""
    from train.simulate.film import FilmOptions, save_film

    chosen = FilmOptions(
        seconds=options.seconds, anatomy_seed=options.anatomy, look_seed=options.look
    )
    print(save_film(options.out, chosen))
