"""Seal a trained network as a bundle: ONNX, thresholds, parity with torch, model card."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """RUN --recipe RECIPE --data SET -o BUNDLE."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of the training run")
    parser.add_argument("--recipe", default="student", help="the recipe it was trained with")
    parser.add_argument("--data", type=Path, required=True, help="its simulated set (validation)")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the bundle")


def run(options: argparse.Namespace) -> None:
    """Export."""
    from train.export import export_bundle
    from train.recipe import find_recipe, read_recipe

    recipe = read_recipe(find_recipe(options.recipe))
    bundle = export_bundle(recipe, options.run_folder, options.data, options.out)
    print(f"Sealed {bundle.name} {bundle.version} in {bundle.path}")
    for parity in bundle.provenance["parity"]:
        print(
            f"  {parity['backend']}: largest difference {parity['largest_difference']:.1e}, "
            f"{parity['flipped_share']:.3%} of pixels change sides"
        )
