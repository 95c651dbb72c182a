"""`haustra-train`: from simulated colons to a sealed model bundle."""

from __future__ import annotations

import argparse
import importlib
import keyword
import sys
from collections.abc import Sequence

from engine.errors import HaustraError

VERBS = {
    "simulate": "render a set of labelled colons",
    "anatomy": "compare the shape of procedural colons with colons from CT",
    "labels": "hold the fold labels against what the colon generator knows",
    "film": "render a simulated withdrawal as a video",
    "train": "train a network on a simulated set",
    "segment": "train a segmenter on simulated, translated or paired pictures, as the paper does",
    "depth": "train our depth network, or measure how wrong one is",
    "import": "turn a public checkpoint into safetensors that our networks load",
    "translate": "make simulated pictures look real",
    "export": "seal a trained network as a bundle the program can open",
    "trust": "fit what tells pictures that can be trusted from bad ones",
    "realism": "measure how real simulated pictures look",
    "evaluate": "measure a bundle and print one table",
    "testsets": "render our own benchmark: unseen colons and CT anatomy",
    "tally": "count the failures that were noted on contact sheets of real frames",
    "tracking": "measure how well folds keep their identity in simulated video",
    "layout": "write a simulated set as SimCol3D or C3VD, or check such a recording",
    "benchmark": "reproduce the paper's table: models by training sets by test sets",
    "reproduce": "all of the above in one go, going on where it stopped",
}
_EXAMPLES = """\
examples:
  haustra-train reproduce student -o runs/student --real DATA  everything, about two hours
  haustra-train reproduce smoke -o runs/smoke                  everything in little, two minutes
  haustra-train simulate RECIPE -o SET
  haustra-train train student --data SET -o RUN --real DATA
  haustra-train export RUN --recipe student --data SET --real DATA -o BUNDLE
  haustra-train evaluate BUNDLE --data SET --real DATA

Research and training. Not for diagnosis."""


def build_parser() -> argparse.ArgumentParser:
    """The command line; each verb's module in `train.commands` adds its own arguments."""
    parser = argparse.ArgumentParser(
        prog="haustra-train",
        description="Simulate colons, train a fold network on them, measure and seal it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, purpose in VERBS.items():
        name = f"{verb}_" if keyword.iskeyword(verb) else verb
        module = importlib.import_module(f"train.commands.{name}")
        child = verbs.add_parser(verb, help=purpose, description=module.__doc__)
        module.add_arguments(child)
        child.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0 done, 2 explained error, 130 stopped by the user."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except HaustraError as error:
        print(f"haustra-train: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("haustra-train: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
