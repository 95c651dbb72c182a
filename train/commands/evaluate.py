"""Measure a bundle on unseen simulated colons and on real frames, and print one table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.backends import DEFAULT_BACKEND
from engine.errors import RecipeError

if TYPE_CHECKING:
    from engine.bundle import ModelBundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """BUNDLE [--data SET] [--ct-data SET] [--real DIR [--contact DIR]] [-o DIR]."""
    parser.add_argument("bundle", type=Path, help="folder of the bundle")
    parser.add_argument("--data", type=Path, help="simulated set (its test colons)")
    parser.add_argument("--ct-data", type=Path, help="set rendered from a CT colon")
    parser.add_argument("--real", type=Path, help="folder with the real frames")
    # Not the fastest: figures must not depend on the machine they were measured on.
    parser.add_argument("--backend", default=DEFAULT_BACKEND, help="inference back end (openvino)")
    parser.add_argument("-o", "--out", type=Path, help="for evaluation.json, .md, simulated sheets")
    parser.add_argument("--real-sheets", type=Path, help="for real sheets; keep out of any repo")
    parser.add_argument(
        "--contact", type=Path, metavar="DIR",
        help="for 100 unseen real frames with their folds and a tally to fill in; out of any repo",
    )  # fmt: skip
    parser.add_argument("--seal", action="store_true", help="write the figures into the bundle")


def run(options: argparse.Namespace) -> None:
    """Evaluate."""
    from engine.bundle import ModelBundle
    from train.evaluate import EvaluationPlaces, evaluate
    from train.export import with_evaluation

    if options.contact is not None and options.real is None:
        raise RecipeError("A contact sheet needs real frames.", "Name their folder with --real.")
    bundle = ModelBundle.open(options.bundle)
    if options.contact is not None:
        _draw_contact_sheets(bundle, options)
    places = EvaluationPlaces(
        options.data, options.ct_data, options.real, options.out, options.real_sheets
    )
    found = evaluate(bundle, places, options.backend)
    print(found.table())
    if options.out is not None:
        found.write(options.out)
    if options.seal:
        command = "haustra-train evaluate BUNDLE --data SET --ct-data CT --real DATA"
        with_evaluation(bundle, found.as_dict(), command)


def _draw_contact_sheets(bundle: ModelBundle, options: argparse.Namespace) -> None:
    from train.evaluate import Evaluator
    from train.real_sheet import TALLY, SheetPlaces, write_sheets

    evaluator = Evaluator(bundle, options.backend)
    try:
        pages = write_sheets(evaluator.folds, SheetPlaces(options.real, options.contact))
    finally:
        evaluator.close()
    print(f"{len(pages)} sheets in {options.contact}; note what is wrong in {TALLY} beside them.")
