"""Make simulated pictures look real.

`train` learns a translator from a simulated set (or a folder with image/ and depth/) and real
pictures that have nothing to do with each other. `apply` translates a set into a new one, with its
labels. Both go on where they stopped when they are called again. `evaluate` holds several
translators against each other: what they keep of a scene's structure, and how real they look.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train` RECIPE, `apply` TRANSLATOR SET or `evaluate` SET TRANSLATOR...; each -o OUT."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    train = actions.add_parser("train", help="learn a translator")
    train.add_argument("recipe", help="recipe file (TOML) or name: colonoscopy, nbi, ..., smoke")
    train.add_argument(
        "--simulated", type=Path, required=True, help="simulated set, or folder of image/ depth/"
    )
    train.add_argument("--real", type=Path, required=True, help="folder with real pictures")
    train.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    train.add_argument("--steps", type=int, help="instead of the recipe's budget")
    train.add_argument("--minutes", type=float, help="instead of the recipe's budget")
    train.add_argument("--seed", type=int, help="instead of the recipe's")
    apply = actions.add_parser("apply", help="translate a simulated set into a new one")
    apply.add_argument("translator", type=Path, help="folder of a translator: RUN/translator")
    apply.add_argument("simulated", metavar="SET", type=Path, help="simulated set")
    apply.add_argument("-o", "--out", type=Path, required=True, help="folder of the new set")
    apply.add_argument("--styles", type=int, default=1, help="of every frame; 1 unless told")
    apply.add_argument("--seed", type=int, default=1, help="of looks and styles; 1 unless told")
    _add_evaluate(actions.add_parser("evaluate", help="compare translators on the same scenes"))


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument("simulated", metavar="SET", type=Path, help="simulated set")
    evaluate.add_argument(
        "translators", metavar="TRANSLATOR", nargs="+", type=Path, help="folders: RUN/translator"
    )
    evaluate.add_argument(
        "-o", "--out", type=Path, required=True,
        help="for table and sheets; outside any repository one of them shows real frames",
    )  # fmt: skip
    evaluate.add_argument("--real", type=Path, help="real frames; none: no figures of realism")
    evaluate.add_argument("--segmenter", type=Path, help="bundle; haustra-folds unless told")
    evaluate.add_argument("--depth", default="colon", help="depth network; colon unless told")
    evaluate.add_argument(
        "--weights", type=Path, help="of the depth network; as shipped unless told"
    )
    evaluate.add_argument("--frames", type=int, default=200, help="at most; 200 unless told")
    evaluate.add_argument("--split", default="test", help="of the set; test unless told")
    evaluate.add_argument("--against", default="simulated", help="row that differences refer to")
    evaluate.add_argument("--seed", type=int, default=1, help="of every draw; 1 unless told")


def run(options: argparse.Namespace) -> None:
    """Train, apply or evaluate."""
    {"train": _train, "apply": _apply, "evaluate": _evaluate}[options.action](options)


def _evaluate(options: argparse.Namespace) -> None:
    from train.translation.evaluation import Trial, evaluate_translators
    from train.translation.judges import BUNDLED

    trial = Trial(
        options.simulated, options.translators, options.out, options.real,
        options.segmenter or BUNDLED, options.depth, options.weights, options.frames,
        options.split, options.against, options.seed,
    )  # fmt: skip
    print(evaluate_translators(trial).table())


def _apply(options: argparse.Namespace) -> None:
    from train.simulate.dataset import SimulatedSet
    from train.translation.apply import Application, translate_set

    chosen = Application(
        options.simulated, options.translator, options.out, options.styles, options.seed
    )
    splits = SimulatedSet(translate_set(chosen)).splits
    count = sum(len(names) for names in splits.values())
    print(
        f"{options.out} holds {count} translated sequences; train on it with data.style = stored."
    )


def _train(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from train.commands.train import say
    from train.translation.bank import Batches, real_bank
    from train.translation.folders import open_simulated, real_folder
    from train.translation.recipe import find_translation_recipe, read_translation_recipe
    from train.translation.training import TranslationTrainer

    recipe = read_translation_recipe(find_translation_recipe(options.recipe))
    if options.steps or options.minutes:
        budget = replace(recipe.budget, steps=options.steps or 0, minutes=options.minutes or 0.0)
        recipe = replace(recipe, budget=budget)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    pictures = recipe.pictures
    simulated = open_simulated(options.simulated, pictures)
    real = real_bank(real_folder(options.real), pictures.load_size)
    batches = Batches(simulated, real, size=pictures.size, count=pictures.batch, seed=recipe.seed)
    larger = max(len(simulated), len(real))
    say(f"{len(simulated)} simulated and {len(real)} real pictures.")
    TranslationTrainer(recipe, batches, larger, options.out, say).run()
    say(f"The translator is in {options.out / 'translator'}.")
