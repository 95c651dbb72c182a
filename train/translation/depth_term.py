"""Depth consistency, and that of normals, as terms of any translator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from train.depth import DepthEstimator, open_estimator
from train.depth.sheet import coloured
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
    short_side_px: int = 0
    """What its pictures are brought to; 0 as it has learned them. For crops of half a picture, half
    of that: the network then sees everything as large as it knows it."""
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
            options = self._options
            weights = Path(options.weights) if options.weights else None
            side_px = options.short_side_px or None
            self._critic = open_estimator(options.estimator, weights, side_px)
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

    @torch.no_grad()
    def shown(self, translated: Tensor, batch: Batch) -> dict[str, Tensor]:
        """For people, (B, 3, H, W) in [-1, 1]: true depth and that of G(x), near bright."""
        found = fitted_depth(
            self.open()(translated.float()), batch.depth_mm, batch.seen, self._options.loss.floor
        )
        truth = batch.depth_mm * batch.seen
        return {"depth": _pictures(truth, truth), "depth of translated": _pictures(found, truth)}


def _pictures(depth_mm: Tensor, truth_mm: Tensor) -> Tensor:
    """(B, H, W) → (B, 3, H, W), in the colours of the truth."""
    pairs = zip(depth_mm.cpu(), truth_mm.cpu(), strict=True)
    images = torch.stack([torch.from_numpy(coloured(*pair)) for pair in pairs])
    return images.permute(0, 3, 1, 2).to(depth_mm) / 127.5 - 1
