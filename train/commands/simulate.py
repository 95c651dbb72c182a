"""Render a set of labelled colons: geometry buffers once, to be shaded anew while training."""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import RecipeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE -o DIR, or --mesh PLY -o DIR."""
    parser.add_argument("recipe", nargs="?", help="recipe file (TOML) or name: first, smoke")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the new set")
    parser.add_argument("--workers", type=int, help="processes; as many as cores unless told")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="render on this Dask cluster, such as tcp://HOST:8786",
    )
    parser.add_argument("--mesh", type=Path, help="render this colon mesh (mm) as a test set")
    parser.add_argument("--frames", type=int, default=240, help="of the mesh; 240 unless told")
    parser.add_argument(
        "--share", type=float, nargs=2, default=(0.0, 0.7), metavar=("FROM", "TO"),
        help="part of the mesh's centreline; 0 0.7 unless told",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Render."""
    from train.recipe import find_recipe, read_recipe
    from train.simulate.farm import Workers, simulate, simulate_mesh

    workers = Workers(options.workers, options.scheduler)
    if options.mesh is not None:
        simulate_mesh(options.mesh, options.out, options.frames, tuple(options.share), workers)
        return
    if options.recipe is None:
        raise RecipeError("Nothing to simulate.", "Name a recipe, or a mesh with --mesh.")
    simulate(read_recipe(find_recipe(options.recipe)).simulate, options.out, workers)
