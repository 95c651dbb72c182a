"""Depth from one picture: the critics of a translation, by name.

A depth network has its own idea of what goes in and of what comes out; an estimator hides both. It
takes pictures as generators make them and returns a `DepthPrediction` that knows its polarity.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from torch import Tensor

from engine.errors import RecipeError
from train.losses.depth import DepthPrediction

ESTIMATORS: dict[str, str] = {
    "colon": "train.depth.colon:open_colon",
    "dispresnet": "train.depth.scsfm:open_dispresnet",
    "depth-anything": "train.depth.anything:open_depth_anything",
    "falloff": "train.depth.falloff:open_falloff",
}
"""Name → "module:attribute" of a callable (weights, short side) -> DepthEstimator."""


class DepthEstimator(Protocol):
    """A frozen depth network; gradients flow through it to the picture, none into it."""

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        """(B, 3, H, W) RGB in [-1, 1], any H and W → values (B, H, W) at the same size."""
        ...


def open_estimator(
    name: str, weights: Path | None = None, short_side_px: int | None = None
) -> DepthEstimator:
    """The estimator called `name`.

    Args:
        name: in `ESTIMATORS`.
        weights: None takes those that travel with the package.
        short_side_px: what pictures are brought to before the network sees them; None as it has
            learned them. Crops of pictures want as much less.

    Raises:
        RecipeError: no such estimator, weights missing or of another network.
    """
    if name not in ESTIMATORS:
        raise RecipeError(
            f"There is no depth network called {name!r}.",
            f"Choose one of: {', '.join(ESTIMATORS)}.",
        )
    module, attribute = ESTIMATORS[name].split(":")
    opened = cast(
        Callable[[Path | None, int | None], DepthEstimator],
        getattr(importlib.import_module(module), attribute),
    )
    return opened(weights, short_side_px)
