"""Make simulated pictures look real.

`train` learns a translator from a simulated set (or a folder with image/ and depth/) and real
pictures that have nothing to do with each other. `apply` translates a set into a new one, with its
labels. `evaluate` holds several translators against each other: what they keep of a scene's
structure, and how real they look. `compare` trains all rows of a comparison alike and evaluates
them: one table, one contact sheet. All but `evaluate` go on where they stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from train.translation.bank import RealBank, SimulatedBank
    from train.translation.evaluation import Trial
    from train.translation.recipe import PictureSettings, TranslationRecipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`train` RECIPE, `apply` TRANSLATOR SET, `evaluate` SET TRANSLATOR... or `compare` COMPARISON;
    each -o OUT.
    """
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    train = actions.add_parser("train", help="learn a translator")
    train.add_argument("recipe", help="recipe file (TOML) or name: colonoscopy, nbi, ..., smoke")
    _add_pictures(train)
    train.add_argument("--seed", type=int, help="instead of the recipe's")
    apply = actions.add_parser("apply", help="translate a simulated set into a new one")
    apply.add_argument("translator", type=Path, help="folder of a translator: RUN/translator")
    apply.add_argument("simulated", metavar="SET", type=Path, help="simulated set")
    apply.add_argument("-o", "--out", type=Path, required=True, help="folder of the new set")
    apply.add_argument("--styles", type=int, default=1, help="of every frame; 1 unless told")
    apply.add_argument("--seed", type=int, default=1, help="of looks and styles; 1 unless told")
    _add_evaluate(actions.add_parser("evaluate", help="compare translators on the same scenes"))
    _add_compare(actions.add_parser("compare", help="train many alike, then evaluate them"))


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--simulated", type=Path, required=True, help="simulated set, or folder of image/ depth/"
    )
    parser.add_argument("--real", type=Path, required=True, help="folder with real pictures")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, help="instead of the recipe's budget")
    parser.add_argument("--minutes", type=float, help="instead of the recipe's budget")


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
    evaluate.add_argument("--seed", type=int, default=1, help="of every draw; 1 unless told")
    _add_judges(evaluate)


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("comparison", help="comparison file (TOML) or name: little")
    _add_pictures(compare)
    compare.add_argument("--only", nargs="+", default=[], metavar="ROW", help="all unless told")
    compare.add_argument("--seeds", type=int, nargs="+", default=[1], help="1 unless told")
    _add_judges(compare)


def _add_judges(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--segmenter", type=Path, help="bundle; haustra-folds unless told")
    parser.add_argument("--depth", default="colon", help="depth network; colon unless told")
    parser.add_argument("--weights", type=Path, help="of the depth network; as shipped unless told")
    parser.add_argument("--frames", type=int, default=200, help="at most; 200 unless told")
    parser.add_argument("--split", default="test", help="of the set; test unless told")
    parser.add_argument("--video", type=Path, help="set of examinations, to look for flicker in")
    parser.add_argument("--against", default="simulated", help="row that differences refer to")


def run(options: argparse.Namespace) -> None:
    """Train, apply, evaluate or compare."""
    actions = {"train": _train, "apply": _apply, "evaluate": _evaluate, "compare": _compare}
    actions[options.action](options)


def _evaluate(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from train.translation.evaluation import evaluate_translators, named

    trial = _trial(options, named(options.translators))
    print(evaluate_translators(replace(trial, seed=options.seed)).table())


def _trial(options: argparse.Namespace, translators: Mapping[str, Sequence[Path]]) -> Trial:
    from train.translation.evaluation import Trial
    from train.translation.judges import BUNDLED

    return Trial(
        options.simulated, translators, options.out, options.real, options.segmenter or BUNDLED,
        options.depth, options.weights, options.frames, options.split, options.against,
        video=options.video,
    )  # fmt: skip


def _compare(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from train.commands.train import say
    from train.translation.comparison import (
        Contest,
        chosen_rows,
        read_comparison,
    )
    from train.translation.evaluation import Bench, evaluate_translators

    rows = chosen_rows(read_comparison(options.comparison), options.only)
    rows = {name: _within_budget(recipe, options) for name, recipe in rows.items()}
    trial = _trial(options, {row: [] for row in rows})
    Bench.of(trial)
    banks = _banks(options, next(iter(rows.values())).pictures)
    trained = Contest(*banks, list(dict.fromkeys(options.seeds)), options.out).train(rows, say)
    trial = replace(trial, translators=trained.products, left_out=trained.failed)
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
    from train.translation.bank import Batches
    from train.translation.recipe import read_translation_recipe
    from train.translation.training import TranslationTrainer

    recipe = _within_budget(read_translation_recipe(options.recipe), options)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    batches = Batches.of(recipe, *_banks(options, recipe.pictures))
    TranslationTrainer(recipe, batches, options.out, say).run()
    say(f"The translator is in {options.out / 'translator'}.")


def _within_budget(recipe: TranslationRecipe, options: argparse.Namespace) -> TranslationRecipe:
    """In the time or number of steps that is asked for, if any."""
    if not options.steps and not options.minutes:
        return recipe
    return recipe.within(options.steps or 0, options.minutes or 0.0)


def _banks(
    options: argparse.Namespace, pictures: PictureSettings
) -> tuple[SimulatedBank, RealBank]:
    from train.commands.train import say
    from train.translation.bank import real_bank
    from train.translation.folders import open_simulated, real_folder

    simulated = open_simulated(options.simulated, pictures)
    real = real_bank(real_folder(options.real), pictures.load_size)
    say(f"{len(simulated)} simulated and {len(real)} real pictures.")
    return simulated, real
