"""Render a simulated examination, or a clip of one phase of it, as a video with its truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import RecipeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o OUT.mp4 and what to film."""
    parser.add_argument(
        "-o", "--out", type=Path, required=True,
        help="video to write (MP4); what is true in it goes to OUT.truth.zip beside it",
    )  # fmt: skip
    parser.add_argument(
        "--kind", default="withdrawal",
        help="whole, insertion, contact, caecum, withdrawal (unless told), inspection, look-back "
        "or retroflexion",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, help="12 unless told; a whole examination takes its time"
    )
    parser.add_argument("--start", type=float, help="share of the centreline where a clip begins")
    parser.add_argument("--rate", type=int, default=50, help="frames a second; 50 unless told")
    parser.add_argument("--size", type=int, default=640, help="width in pixels; 640 unless told")
    parser.add_argument(
        "--colon", choices=("stretch", "whole"), default="stretch", help="a stretch unless told"
    )
    parser.add_argument("--motion", action="store_true", help="let the colon breathe and clench")
    parser.add_argument("--anatomy", type=int, default=11, help="seed of the colon")
    parser.add_argument("--look", type=int, default=33, help="seed of tissue and light")
    parser.add_argument(
        "--itinerary", type=Path, metavar="PNG", help="draw the way through the colon here"
    )
    parser.add_argument("--path", type=int, default=3, help="seed of the camera path")


def run(options: argparse.Namespace) -> None:
    """Film."""
    from train.simulate.examination import WHOLE
    from train.simulate.film import FilmOptions, save_film

    if options.rate < 1 or options.size < 64 or (options.seconds or 1) <= 0:
        raise RecipeError(
            "A film needs a rate of 1 or more, 64 pixels or more and a positive length.",
            "Change --rate, --size or --seconds.",
        )
    seconds = options.seconds or (None if options.kind == WHOLE else 12.0)
    chosen = FilmOptions(
        kind=options.kind, seconds=seconds, start=options.start, rate_hz=options.rate,
        size=options.size // 2 * 2, anatomy=options.colon,
        motion=options.motion, anatomy_seed=options.anatomy,
        look_seed=options.look,
        path_seed=options.path,
    )  # fmt: skip
    print(save_film(options.out, chosen, options.itinerary))
