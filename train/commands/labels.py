"""Look at fold labels from curvature.

Without a mesh: hold them against the generator's own folds, on colons of no recipe. With one: draw
views of it with their labels. Either way `stages.jpg` shows how a label comes about.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.errors import RecipeError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """-o DIR [--colons N] [--frames N] [--first N], or -o DIR --mesh FILE [--share FROM TO]."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for table and sheets")
    parser.add_argument("--colons", type=int, default=20, help="how many; 20 unless told")
    parser.add_argument("--frames", type=int, default=24, help="views per colon; 24 unless told")
    parser.add_argument("--first", type=int, default=100, help="number of the first colon")
    parser.add_argument("--mesh", type=Path, help="a mesh or NIfTI label volume instead")
    parser.add_argument("--unit", choices=["mm", "cm", "m"], help="of the mesh; told by its size")
    parser.add_argument(
        "--share", type=float, nargs=2, default=(0.05, 0.95), metavar=("FROM", "TO"),
        help="part of the mesh's centreline that is viewed; 0.05 0.95 unless told",
    )  # fmt: skip


def run(options: argparse.Namespace) -> None:
    """Compare and write labels.md, labels.json, labels.png; or draw labels.jpg of a mesh."""
    if options.frames < 1 or options.colons < 1:
        raise RecipeError("Nothing to look at.", "Ask for at least one colon and one frame.")
    if options.mesh is not None:
        _draw_mesh(options)
        return
    from train.commands.train import say
    from train.sheets import save_picture
    from train.simulate.agreement import compare_colons, example_colon, write_report
    from train.simulate.stages import label_stages

    colons = range(options.first, options.first + options.colons)
    say(write_report(compare_colons(colons, options.frames), options.out))
    tube = example_colon(options.first)
    save_picture(options.out / "stages.jpg", label_stages(tube, len(tube.centreline) / 2))


def _draw_mesh(options: argparse.Namespace) -> None:
    import numpy as np

    from train.commands.train import say
    from train.sheets import save_picture
    from train.simulate.camera_path import PathOptions, camera_path
    from train.simulate.curvature import CrestOptions
    from train.simulate.mesh import read_colon
    from train.simulate.rays import OcclusionOptions
    from train.simulate.stages import label_sheet, label_stages

    first, last = options.share
    if not 0 <= first < last <= 1:
        raise RecipeError(f"--share {first} {last}.", "Give two parts of 1, the smaller first.")
    colon = read_colon(options.mesh, options.unit)
    say(colon.provenance.sentence())
    tube, crest = colon.tube, CrestOptions.for_scan()
    path = PathOptions(options.frames, first, last, wobble_frames=1.0, deflection=0.35)
    poses = camera_path(tube, np.random.default_rng(3), path)
    sheet = label_sheet(tube, poses, crest, OcclusionOptions.for_scan())
    say(str(save_picture(options.out / "labels.jpg", sheet)))
    middle = (first + last) / 2 * len(tube.centreline)
    say(str(save_picture(options.out / "stages.jpg", label_stages(tube, middle, crest))))
