"""How far what is shipped strays from what was trained: back ends and precisions against torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.backends import InferenceBackend, open_backend
from engine.bundle import ModelBundle
from engine.types import Image, Mask, Probability
from train.metrics import mean_iou, overlap_counts
from train.real import Half, place_frame, real_frames
from train.recipe import Recipe
from train.sampling import evenly_spread
from train.simulate.appearance import drawn
from train.simulate.dataset import Label, SimulatedSet
from train.validation import probabilities

_LARGEST_FLIPPED_SHARE = 0.02
_LARGEST_ROUNDING = 0.02
"""Of a probability."""
_LEAST_OVERLAP = 0.8
"""A network that has learned little stands at its threshold everywhere, where rounding alone
changes sides: its masks still lie in the same places."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true in one simulated picture."""

    fold: Mask
    valid: Mask


@dataclass(frozen=True, slots=True)
class Reference:
    """Pictures, and what torch says of them."""

    name: str
    images: Sequence[Image]
    expected: Sequence[Probability]
    """(2, size, size) each."""
    truths: Sequence[Truth] = ()
    """Of simulated pictures."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a back end strays from torch on one kind of pictures."""

    backend: str
    pictures: str
    frames: int
    largest_difference: float
    """Of a probability, fold or edge, in any pixel."""
    flipped_share: float
    """Part of the pixels that change sides of the threshold."""
    overlap: float
    """IoU of its fold masks with torch's, all frames together."""
    lost_points: float | None
    """Percentage points of mean IoU with the truth that are lost, below 0 if won; None where
    there is no truth."""

    @property
    def is_other(self) -> bool:
        """More than rounding: another network, or a broken one."""
        is_far = self.largest_difference > _LARGEST_ROUNDING
        is_moved = self.flipped_share > _LARGEST_FLIPPED_SHARE
        return is_far and is_moved and self.overlap < _LEAST_OVERLAP


def refer(
    network: nn.Module, name: str, images: Sequence[Image], truths: Sequence[Truth] = ()
) -> Reference:
    """Have torch look at pictures."""
    device = torch.device("cpu")
    return Reference(
        name, images, [probabilities(network, each, device) for each in images], truths
    )


def compare(reference: Reference, backend: InferenceBackend, threshold: float) -> Parity:
    """Run a back end on the same pictures."""
    found = [backend.infer(image) for image in reference.images]
    pairs = list(zip(found, reference.expected, strict=True))
    ours = np.stack([each[0] >= threshold for each in found])
    theirs = np.stack([each[0] >= threshold for each in reference.expected])
    union = int((ours | theirs).sum())
    return Parity(
        backend=backend.description,
        pictures=reference.name,
        frames=len(found),
        largest_difference=max(float(np.abs(one - other).max()) for one, other in pairs),
        flipped_share=float((ours != theirs).mean()),
        overlap=float((ours & theirs).sum()) / union if union else 1.0,
        lost_points=lost_points(reference, found, threshold) if reference.truths else None,
    )


def lost_points(reference: Reference, found: Sequence[Probability], threshold: float) -> float:
    """100 · (IoU of torch - IoU of what was found), each the mean over frames that show folds."""
    limits = np.array([threshold])

    def iou(masks: Sequence[Probability]) -> float:
        counts = [
            overlap_counts(mask[0], truth.fold, truth.valid, limits)
            for mask, truth in zip(masks, reference.truths, strict=True)
        ]
        return float(mean_iou(np.stack(counts))[0])

    return 100 * (iou(reference.expected) - iou(found))


def measure(bundle: ModelBundle, name: str, references: Sequence[Reference]) -> list[Parity]:
    """Compare the bundle on the back end of that name with every reference."""
    backend = open_backend(bundle, name)
    try:
        return [compare(each, backend, bundle.threshold) for each in references]
    finally:
        backend.close()


def simulated_pictures(
    recipe: Recipe, simulated: Path, split: str, count: int
) -> tuple[list[Image], list[Truth]]:
    """Up to `count` pictures of a split, evenly spread, with what is true in them."""
    data = SimulatedSet(simulated, Label(recipe.data.label))
    frames = data.frames(split)
    rng = np.random.default_rng(recipe.seed)
    images, truths = [], []
    for index in evenly_spread(len(frames), count):
        picture = drawn(data, frames[index], rng, recipe.data.style)
        images.append(picture.image)
        truths.append(Truth(picture.fold, picture.valid))
    return images, truths


def real_pictures(real: Path | None, half: Half, size: int, count: int) -> list[Image]:
    """Up to `count` real pictures on the grid, evenly spread; none where there is no folder."""
    frames = [] if real is None else real_frames(real, half)
    return [place_frame(frames[index], size).image for index in evenly_spread(len(frames), count)]
