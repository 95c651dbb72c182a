"""What to train the colon depth network on, and for how long: TOML in, frozen settings out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

from train.losses.depth_supervision import SupervisionWeights
from train.recipe import OptimiserSettings
from train.settings import find_file, hold, read_table, settings_from

RECIPES = Path(__file__).resolve().parent.parent / "recipes" / "depth"


@dataclass(frozen=True, slots=True)
class StyleShares:
    """How often a picture is drawn in each style; they need not add up to one."""

    plain: float = 0.1
    vrcaps: float = 0.25
    rich: float = 0.5
    nbi: float = 0.15


@dataclass(frozen=True, slots=True)
class DrawingSettings:
    """How pictures are drawn and disturbed."""

    styles: StyleShares = field(default_factory=StyleShares)
    disturbed: float = 0.35
    """Share of pictures with changed colour, blur, noise and erased parts."""
    batch: int = 8
    workers: int = 1


@dataclass(frozen=True, slots=True)
class DepthBudget:
    """How long to train. With `steps` the clock is ignored and a run repeats exactly."""

    minutes: float = 30.0
    steps: int = 0
    checkpoint_minutes: float = 2.0
    validate_minutes: float = 5.0
    validation_frames: int = 48


@dataclass(frozen=True, slots=True)
class DepthRecipe:
    """Everything that decides a run, apart from the set."""

    name: str
    seed: int = 1
    pretrained: bool = True
    frozen_blocks: int = 1
    """Encoder blocks kept as ImageNet left them; -1 lets the stem learn too."""
    drawing: DrawingSettings = field(default_factory=DrawingSettings)
    budget: DepthBudget = field(default_factory=DepthBudget)
    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    losses: SupervisionWeights = field(default_factory=SupervisionWeights)


def read_depth_recipe(name: str | Path) -> DepthRecipe:
    """The recipe `name`: a TOML file, or one that travels with the package, by its name.

    Raises:
        RecipeError: no such file, not TOML, an unknown key, a value of the wrong type or out of
            range.
    """
    path = find_file(name, RECIPES, "depth recipe")
    recipe = settings_from(DepthRecipe, read_table(path), path.name)
    _check_ranges(recipe, path.name)
    return recipe


def _check_ranges(recipe: DepthRecipe, where: str) -> None:
    shares = asdict(recipe.drawing.styles).values()
    limits = {
        "no share of drawing.styles is negative, and one is positive": min(shares) >= 0
        and max(shares) > 0,
        "drawing.disturbed lies in [0, 1]": 0 <= recipe.drawing.disturbed <= 1,
        "drawing.batch is at least 2": recipe.drawing.batch >= 2,
        "drawing.workers is not negative": recipe.drawing.workers >= 0,
        "budget.minutes or budget.steps is positive": recipe.budget.minutes > 0
        or recipe.budget.steps > 0,
        "budget.validation_frames is positive": recipe.budget.validation_frames > 0,
        "optimiser.averaging lies in [0, 1)": 0 <= recipe.optimiser.averaging < 1,
        "losses.scale_invariance lies in [0, 1]": 0 <= recipe.losses.scale_invariance <= 1,
        "losses.scales is at least 1": recipe.losses.scales >= 1,
    }
    hold(limits, where)
