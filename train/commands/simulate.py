"""Render a set of labelled colons: geometry buffers once, to be shaded anew while training."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from engine.errors import RecipeError

if TYPE_CHECKING:
    from train.simulate.farm import MeshViews, SimulationRecipe

S = TypeVar("S", "MeshViews", "SimulationRecipe")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RECIPE -o DIR, or --mesh PLY -o DIR."""
    parser.add_argument(
        "recipe", nargs="?", help="recipe file (TOML) or name: first, sim, nbi, big, video, smoke"
    )
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the new set")
    parser.add_argument("--workers", type=int, help="processes; as many as cores unless told")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="render on this Dask cluster, such as tcp://HOST:8786",
    )
    parser.add_argument(
        "--caster", help="what finds where rays meet the wall: raster, embree, warp (CUDA)"
    )
    parser.add_argument("--mesh", type=Path, help="render this mesh or NIfTI label volume")
    parser.add_argument("--unit", choices=["mm", "cm", "m"], help="of the mesh; told by its size")
    parser.add_argument(
        "--find-centreline", action="store_true", help="even where a file lies beside the mesh"
    )
    parser.add_argument("--frames", type=int, default=240, help="of the mesh; 240 unless told")
    parser.add_argument(
        "--share", type=float, nargs=2, default=(0.0, 0.7), metavar=("FROM", "TO"),
        help="part of the mesh's centreline; 0 0.7 unless told",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Render."""
    from train.recipe import read_recipe
    from train.simulate.farm import MeshViews, Workers, simulate, simulate_mesh

    workers = Workers(options.workers, options.scheduler)
    if options.mesh is not None:
        views = MeshViews(
            options.mesh, options.frames, tuple(options.share), options.unit,
            is_line_found=options.find_centreline,
        )  # fmt: skip
        simulate_mesh(_with_caster(views, options.caster), options.out, workers)
        return
    if options.recipe is None:
        raise RecipeError("Nothing to simulate.", "Name a recipe, or a mesh with --mesh.")
    recipe = read_recipe(options.recipe).simulate
    simulate(_with_caster(recipe, options.caster), options.out, workers)


def _with_caster(settings: S, caster: str | None) -> S:
    return settings if caster is None else replace(settings, caster=caster)
