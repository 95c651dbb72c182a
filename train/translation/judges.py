"""What is left of a scene's structure in one picture of it: six figures by judges that are frozen.

A segmenter says where folds are, a depth network how far the wall is; both are held against the
simulator's truth. Their own errors are in every row of a table: only differences between rows,
on the same scenes, tell of the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engine.bundle import ModelBundle
from engine.errors import RecipeError
from engine.types import Image
from train.depth import DepthEstimator
from train.depth.accuracy import as_scaled_depth, errors, to_pictures
from train.evaluate import Evaluator
from train.metrics import iou, overlap_counts
from train.sampling import evenly_spread
from train.simulate.appearance import Rendering, drawn
from train.simulate.dataset import GeometryFrame, SimulatedSet
from train.structure import boundary_f, edge_agreement, inside, normal_error_deg, normals_of

FIGURES = ("fold IoU", "boundary F", "AbsRel", "log RMSE", "normals, °", "edges")
"""The first two and the last: more is better; the others are errors."""
BUNDLED = Path(__file__).resolve().parents[2] / "resources" / "bundles" / "haustra-folds"
"""Learned from simulated labels alone, and saw real frames without labels."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One simulated picture and everything that is true in it."""

    sequence: str
    rendering: Rendering
    geometry: GeometryFrame


def scenes(data: SimulatedSet, split: str, style: str, *, count: int, seed: int) -> list[Scene]:
    """`count` frames spread evenly over a split, or all of fewer.

    Raises:
        RecipeError: no such split, an unknown style, or no pictures of it.
    """
    if split not in data.splits:
        raise RecipeError(
            f"{data.folder} has no split {split!r}.", f"Choose one of: {', '.join(data.splits)}."
        )
    frames = data.frames(split)
    return [
        Scene(
            frames[index][0],
            drawn(data, frames[index], np.random.default_rng([seed, index]), style),
            data.frame(*frames[index]),
        )
        for index in evenly_spread(len(frames), count)
    ]


class Judges:
    """A segmenter in a bundle, through the product's own path, and a depth network."""

    def __init__(self, bundle: ModelBundle, depth: DepthEstimator) -> None:
        self._evaluator = Evaluator(bundle)
        self._threshold = bundle.threshold
        self._depth = depth

    def close(self) -> None:
        """Give the segmenter's back end back."""
        self._evaluator.close()

    def __call__(self, image: Image, scene: Scene) -> NDArray[np.float64]:
        """The `FIGURES` of one picture (H, W, 3) of a scene; NaN for what it cannot show."""
        shown = scene.rendering
        return np.array([
            *self._folds(image, scene),
            *self._surface(image, scene),
            edge_agreement(image, shown.edge, shown.valid) if shown.edge.any() else np.nan,
        ])  # fmt: skip

    def _folds(self, image: Image, scene: Scene) -> tuple[float, float]:
        """IoU and boundary F; unknown where there is no fold to find."""
        shown = scene.rendering
        if not shown.fold.any():
            return float("nan"), float("nan")
        probability = self._evaluator.probability(image)[0]
        limits = np.array([self._threshold])
        overlap = iou(overlap_counts(probability, shown.fold, shown.valid, limits))
        found = probability >= self._threshold
        return float(overlap[0]), boundary_f(found, shown.fold, shown.valid)

    @torch.no_grad()
    def _surface(self, image: Image, scene: Scene) -> tuple[float, float, float]:
        """Depth errors after alignment, and the error of the normals of that depth."""
        geometry = scene.geometry
        known = scene.rendering.valid & (geometry.depth_mm > 0)
        if not known.any():
            return float("nan"), float("nan"), float("nan")
        truth = torch.from_numpy(np.where(known, geometry.depth_mm, 0).astype(np.float32))[None]
        depth = as_scaled_depth(self._depth(to_pictures(image)), truth)[0]
        relative, _, logarithmic = errors(depth, truth[0])
        normal = normals_of(depth.double().numpy(), geometry.rays)
        return relative, logarithmic, normal_error_deg(normal, geometry.normal, inside(known, 1))
