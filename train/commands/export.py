"""Seal a trained network as a bundle: calibrated, in every precision, compared with torch."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RUN --recipe RECIPE --data SET [--real DIR] [--no-int8] -o BUNDLE."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the training run")
    parser.add_argument("--recipe", default="student", help="the recipe it was trained with")
    parser.add_argument("--data", type=Path, required=True, help="its simulated set (validation)")
    parser.add_argument("--real", type=Path, help="folder with the real frames, to compare on")
    parser.add_argument("--no-int8", action="store_true", help="leave the int8 network out")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the bundle")


def run(options: argparse.Namespace) -> None:
    """Export."""
    from train.export import ExportPlaces, export_bundle
    from train.recipe import read_recipe

    recipe = read_recipe(options.recipe)
    places = ExportPlaces(options.run_folder, options.data, options.out, options.real)
    bundle = export_bundle(recipe, places, with_int8=not options.no_int8)
    print(f"Sealed {bundle.name} {bundle.version} in {bundle.path}")
    for name, plane in bundle.metrics["calibration"].items():
        print(
            f"  {name}: expected calibration error {plane['error_before']:.4f} before, "
            f"{plane['error_after']:.4f} after"
        )
    for parity in bundle.provenance["parity"]:
        lost = parity["lost_points"]
        points = "" if lost is None else f", {lost:+.2f} IoU points lost"
        print(
            f"  {parity['backend']}, {parity['pictures']}: "
            f"largest difference {parity['largest_difference']:.1e}, "
            f"{parity['flipped_share']:.3%} of pixels change sides{points}"
        )
