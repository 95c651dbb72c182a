"""Simulated pictures with their depth, shaded as they are drawn.

Sample number n depends on (seed, n) alone, so a resumed run sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from engine.errors import RecipeError
from train.augment import Warp, perturb
from train.depth.known import visible_depth
from train.depth.recipe import DrawingSettings
from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet


class DepthSample(NamedTuple):
    """Tensors of one picture, or stacked with a leading (B,)."""

    image: Tensor
    """(H, W, 3) uint8 RGB."""
    depth_mm: Tensor
    """(H, W) float32 along the ray, 0 where unknown or covered."""


class DepthSamples(Dataset[DepthSample]):
    """Random frames of one split, each in a style of its own, warped, some disturbed."""

    def __init__(self, data: SimulatedSet, split: str, drawing: DrawingSettings, seed: int) -> None:
        self._set = data
        self._frames = data.frames(split)
        if not self._frames:
            raise RecipeError(f"{data.folder} has no {split} frames.", "Simulate the set again.")
        shares = asdict(drawing.styles)
        self._styles = list(shares)
        self._odds = np.array(list(shares.values())) / sum(shares.values())
        self._disturbed = drawing.disturbed
        self._seed = seed

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, number: int) -> DepthSample:
        rng = np.random.default_rng([self._seed, number])
        sequence, index = self._frames[int(rng.integers(len(self._frames)))]
        style = self._styles[int(rng.choice(len(self._styles), p=self._odds))]
        frame = self._set.frame(sequence, index)
        rendering = shade(frame, rng, style)
        warp = Warp.draw(rng, rendering.image.shape[0])
        image = warp.image(rendering.image)
        depth = warp.nearest(visible_depth(frame, rendering))
        if rng.random() < self._disturbed:
            image, visible = perturb(image, rng)
            depth = depth * visible
        return DepthSample(torch.from_numpy(image), torch.from_numpy(depth))
