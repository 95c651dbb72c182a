"""A training recipe: TOML in, frozen settings out. Unknown keys are errors, never ignored."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from train.losses.segmentation import LossWeights
from train.settings import find_file, hold, read_table, settings_from
from train.simulate.anatomy import ANATOMIES
from train.simulate.appearance import STORED, STYLES
from train.simulate.casters import CASTERS
from train.simulate.dataset import Label
from train.simulate.farm import SimulationRecipe
from train.simulate.render import CAMERAS, PATHS, PICTURES

RECIPES = Path(__file__).resolve().parent / "recipes"


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Which network, and how much of it learns."""

    name: str = "student"
    pretrained: bool = True
    weights: str = ""
    """A file by `haustra-train import` to start from."""
    frozen_blocks: int = 3
    """Encoder blocks kept as ImageNet left them; -1 lets the stem learn too."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """How simulated pictures are drawn."""

    style: str = "rich"
    """Of shading, anew at every draw; `stored`: the pictures that the set keeps."""
    others: dict[str, float] = field(default_factory=dict)
    """Further styles, and the share of pictures that are in each."""
    label: str = "region"
    """What counts as fold: `region` (ours) or `curvature` (the paper's)."""
    looks: int = 0
    """Of each frame, shaded once and kept beside the run; 0: anew at each draw."""
    borrowed: float = 0.0
    """Share of pictures that borrow the slow colours of a real training frame."""
    pasted: float = 0.0
    """Share of pictures that bear one to three polyps of real training frames."""
    straight: float = 0.0
    """Share of pictures that are only mirrored and turned by quarters, and so stay sharp."""
    crop: int = 0
    """Side of the windows learnt from at first, a multiple of 32; 0: whole pictures always."""
    crop_until: float = 0.6
    """Of the whole run; then whole pictures."""
    batch: int = 12
    workers: int = 1


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """How long to train. With `steps` the clock is ignored and a run repeats exactly."""

    minutes: float = 55.0
    steps: int = 0
    precision: str = "float32"
    """`bfloat16`: faster on a GPU, and on processors that multiply it."""
    checkpoint_minutes: float = 3.0
    validate_minutes: float = 6.0
    validation_frames: int = 200


@dataclass(frozen=True, slots=True)
class OptimiserSettings:
    """AdamW with a short warm-up and a cosine to a hundredth."""

    learning_rate: float = 2e-3
    encoder_rate: float = 0.35
    """Of the learning rate, for the encoder."""
    weight_decay: float = 0.02
    warm_up: float = 0.04
    """Of the whole run."""
    averaging: float = 0.998
    """Decay of the averaged weights (the teacher, and what is exported)."""


@dataclass(frozen=True, slots=True)
class RealSettings:
    """Unlabelled real frames: mean teacher and known negatives."""

    use: bool = True
    start: float = 0.35
    """When, as a part of the whole run."""
    ramp: float = 0.2
    """Over which part of the run the weights grow."""
    batch: int = 4
    consistency: float = 1.0
    confidence: float = 0.6
    polyp: float = 0.5
    flat: float = 0.3


@dataclass(frozen=True, slots=True)
class TutorSettings:
    """A larger network, already trained, whose answers are learned too (distillation)."""

    segmenter: str = ""
    """A file by `haustra-train segment`; none: nobody."""
    weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run, apart from the real frames' folder."""

    name: str
    seed: int = 1
    version: str = "0.1.0"
    simulate: SimulationRecipe = field(default_factory=SimulationRecipe)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    data: DataSettings = field(default_factory=DataSettings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    losses: LossWeights = field(default_factory=LossWeights)
    real: RealSettings = field(default_factory=RealSettings)
    tutor: TutorSettings = field(default_factory=TutorSettings)

    def told(self) -> dict[str, Any]:
        """What must be the same when a run goes on; its budget may grow."""
        kept = asdict(self)
        return {key: kept[key] for key in kept if key not in ("name", "version", "budget")}


def read_recipe(name: str | Path) -> Recipe:
    """The recipe `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, a value of the wrong type or out of
            range.
    """
    path = find_file(name, RECIPES, "recipe")
    recipe = settings_from(Recipe, read_table(path), path.name)
    _check_ranges(recipe, path.name)
    return recipe


def _check_ranges(recipe: Recipe, where: str) -> None:
    limits = {
        "simulate.size is a positive multiple of 32": recipe.simulate.size > 0
        and recipe.simulate.size % 32 == 0,
        f"simulate.anatomy is one of {', '.join(ANATOMIES)}": recipe.simulate.anatomy in ANATOMIES,
        f"simulate.camera is one of {', '.join(CAMERAS)}": recipe.simulate.camera in CAMERAS,
        f"simulate.pictures is one of {', '.join(PICTURES)}": recipe.simulate.pictures in PICTURES,
        f"simulate.path is one of {', '.join(PATHS)}": recipe.simulate.path in PATHS,
        f"simulate.caster is one of {', '.join(CASTERS)}": recipe.simulate.caster in CASTERS,
        "simulate.motion is for simulate.path = 'examination'": not recipe.simulate.motion
        or recipe.simulate.path == "examination",
        "simulate.rate_hz is positive": recipe.simulate.rate_hz > 0,
        f"data.label is one of {', '.join(Label)}": recipe.data.label in list(Label),
        f"data.style is one of {', '.join([*STYLES, STORED])}": recipe.data.style
        in [*STYLES, STORED],
        f"data.others are of {', '.join(STYLES)}": set(recipe.data.others) <= set(STYLES),
        "data.others are shares, together at most 1": all(
            share >= 0 for share in recipe.data.others.values()
        )
        and sum(recipe.data.others.values()) <= 1,
        "data.looks is not negative": recipe.data.looks >= 0,
        "data.borrowed lies in [0, 1]": 0 <= recipe.data.borrowed <= 1,
        "data.pasted lies in [0, 1]": 0 <= recipe.data.pasted <= 1,
        "data.straight lies in [0, 1]": 0 <= recipe.data.straight <= 1,
        "data.crop is a multiple of 32 below simulate.size": recipe.data.crop % 32 == 0
        and 0 <= recipe.data.crop < recipe.simulate.size,
        "budget.precision is float32 or bfloat16": recipe.budget.precision
        in ("float32", "bfloat16"),
        "data.batch is at least 2": recipe.data.batch >= 2,
        "data.workers is not negative": recipe.data.workers >= 0,
        "budget.minutes or budget.steps is positive": recipe.budget.minutes > 0
        or recipe.budget.steps > 0,
        "optimiser.averaging lies in [0, 1)": 0 <= recipe.optimiser.averaging < 1,
        "tutor.weight is not negative": recipe.tutor.weight >= 0,
        "real.start and real.ramp lie in [0, 1]": 0 <= recipe.real.start <= 1
        and 0 <= recipe.real.ramp <= 1,
    }
    hold(limits, where)
