"""What to train a segmenter on, how, and for how long: TOML in, frozen settings out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from train.networks import NETWORKS
from train.settings import find_file, hold, read_table, settings_from
from train.simulate.appearance import STORED, STYLES
from train.simulate.dataset import Label

RECIPES = Path(__file__).resolve().parent.parent / "recipes" / "segmentation"


class Pictures(StrEnum):
    """Which pictures a segmenter learns from."""

    SIMULATED = "simulated"
    TRANSLATED = "translated"
    PAIRED = "paired"
    """Each simulated picture in one batch with its translation, under the same warp."""


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """Which network, and what it starts from."""

    name: str = "endofm-transunet"
    weights: str = ""
    """A file by `haustra-train import`."""
    pretrained: bool = True
    """From what travels with the package, where the network has such."""


@dataclass(frozen=True, slots=True)
class DrawingSettings:
    """How pictures are drawn."""

    pictures: str = Pictures.PAIRED.value
    style: str = STORED
    """Of simulated pictures: those that the set keeps, or a look anew at every draw."""
    label: str = Label.CURVATURE.value
    """What counts as fold: `curvature` (the paper's) or `region` (ours)."""
    batch: int = 24
    """Pictures in a step; a pair is two."""
    workers: int = 2


@dataclass(frozen=True, slots=True)
class SegmentationBudget:
    """How long: by steps, by the clock, or by epochs where these are zero."""

    epochs: float = 150.0
    """Passes through all views; a pair is one view."""
    steps: int = 0
    minutes: float = 0.0
    checkpoint_minutes: float = 5.0


@dataclass(frozen=True, slots=True)
class DescentSettings:
    """Gradient descent, its rate falling as (1 - share of the run)^power."""

    kind: str = "sgd"
    """`sgd` with momentum 0.9, as TransUNet; `adamw`."""
    learning_rate: float = 1e-2
    weight_decay: float = 1e-4
    power: float = 0.9


@dataclass(frozen=True, slots=True)
class TermWeights:
    """How much each term counts; a term of weight 0 is not computed."""

    entropy: float = 0.5
    dice: float = 0.5
    edge: float = 0.0
    """Of fold edges, which the paper does not learn: they divide folds that touch."""
    consistency: float = 0.0
    """Of masks of unlabelled real pictures, held against an averaged teacher's."""
    ramp: float = 0.3
    """Part of the run over which consistency grows to its weight."""
    averaging: float = 0.99
    """Decay of the teacher's weights."""


@dataclass(frozen=True, slots=True)
class SegmentationRecipe:
    """Everything that decides a run, apart from where pictures lie."""

    name: str
    seed: int = 1
    precision: str = "float32"
    """`bfloat16`: about twice as fast on a GPU."""
    network: NetworkChoice = field(default_factory=NetworkChoice)
    drawing: DrawingSettings = field(default_factory=DrawingSettings)
    budget: SegmentationBudget = field(default_factory=SegmentationBudget)
    descent: DescentSettings = field(default_factory=DescentSettings)
    terms: TermWeights = field(default_factory=TermWeights)

    def told(self) -> dict[str, Any]:
        """What must be the same when a run goes on; a budget may grow."""
        kept = asdict(self)
        return {key: value for key, value in kept.items() if key not in ("name", "budget")}


def read_segmentation_recipe(name: str | Path) -> SegmentationRecipe:
    """The recipe `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, a value of the wrong type or out of
            range.
    """
    path = find_file(name, RECIPES, "segmentation recipe")
    recipe = settings_from(SegmentationRecipe, read_table(path), path.name)
    check_segmentation_recipe(recipe, path.name)
    return recipe


def check_segmentation_recipe(recipe: SegmentationRecipe, where: str) -> None:
    """Refuse values that cannot be trained with.

    Raises:
        RecipeError: the first that is out of range; `where` says in what.
    """
    drawing, budget, terms = recipe.drawing, recipe.budget, recipe.terms
    hold(
        {
            f"network.name is one of {', '.join(NETWORKS)}": recipe.network.name in NETWORKS,
            f"drawing.pictures is one of {', '.join(Pictures)}": drawing.pictures in list(Pictures),
            f"drawing.style is one of {', '.join([*STYLES, STORED])}": drawing.style
            in [*STYLES, STORED],
            f"drawing.label is one of {', '.join(Label)}": drawing.label in list(Label),
            "drawing.batch is even and at least 2": drawing.batch >= 2 and drawing.batch % 2 == 0,
            "drawing.workers is not negative": drawing.workers >= 0,
            "one of budget.epochs, budget.steps, budget.minutes is positive": max(
                budget.epochs, budget.steps, budget.minutes
            )
            > 0,
            "descent.kind is sgd or adamw": recipe.descent.kind in ("sgd", "adamw"),
            "precision is float32 or bfloat16": recipe.precision in ("float32", "bfloat16"),
            "terms.averaging lies in [0, 1)": 0 <= terms.averaging < 1,
        },
        where,
    )
