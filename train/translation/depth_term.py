"""Depth consistency, and that of normals, as terms of any translator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from train.depth import DepthEstimator, open_estimator
from train.losses.depth import (
    DepthLossOptions,
    DepthPrediction,
    depth_consistency,
    fitted_depth,
)
from train.losses.normals import normal_disagreement, normals, one_surface
from train.translation import Batch


@dataclass(frozen=True, slots=True)
class DepthOptions:
    """Of the depth term."""

    weight: float = 1.0
    """Against the terms of CycleGAN; the paper gives none, the released code uses 1."""
    normals: float = 0.0
    """Weight of the angle between the normals of that depth and the simulator's; ours."""
    estimator: str = "colon"
    weights: str = ""
    """File of the estimator; empty for the one that travels with the package."""
    loss: DepthLossOptions = field(default_factory=DepthLossOptions)


class DepthTerm:
    """Opened at its first use: who only translates needs no critic.

    No module, so that the critic is no part of a state dict.
    """

    def __init__(self, options: DepthOptions, critic: DepthEstimator | None = None) -> None:
        self._options = options
        self._critic = critic

    def open(self) -> DepthEstimator:
        """The critic.

        Raises:
            RecipeError: there is none of this name, or its weights are missing.
        """
        if self._critic is None:
            weights = Path(self._options.weights) if self._options.weights else None
            self._critic = open_estimator(self._options.estimator, weights)
        return self._critic

    def __call__(self, translated: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Weighted: the error of the depth of G(x) against the simulator's of x; of its normals."""
        options = self._options
        # Critics resize, which half precision cannot; logarithms of depth want all digits.
        found = self.open()(translated.float())
        prediction = DepthPrediction(found.values.float(), found.is_inverse)
        error = depth_consistency(prediction, batch.depth_mm, batch.seen, options.loss)
        terms = {"depth": options.weight * error}
        if options.normals:
            whole = one_surface(batch.depth_mm, batch.seen)
            depth = fitted_depth(prediction, batch.depth_mm, batch.seen, options.loss.floor)
            angle = normal_disagreement(normals(depth, batch.rays), batch.normal, whole)
            terms["normals"] = options.normals * angle
        return terms
