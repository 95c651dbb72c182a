"""Held-out procedural colons during training: figures, the threshold, a contact sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.types import Image, Mask, Probability
from train.data import to_network
from train.metrics import THRESHOLDS, Counts, best_threshold, mean_iou, overlap_counts, pooled_iou
from train.recipe import Recipe
from train.sampling import evenly_spread
from train.sheets import contact_sheet, save_picture
from train.simulate.appearance import Rendering, drawn
from train.simulate.dataset import Label, SimulatedSet

_SHEET_COLUMNS = 6
_SHEET_PICTURES = 24


@dataclass(frozen=True)
class Validation:
    """What the network did on the validation colons."""

    region: Counts
    edge: Counts
    sheet: Image

    @property
    def threshold(self) -> float:
        """The best region threshold on these frames."""
        return best_threshold(self.region, THRESHOLDS)

    @property
    def edge_threshold(self) -> float:
        """The best edge threshold on these frames; one half where they show no edge."""
        if not self.edge[..., [0, 2]].any():
            return 0.5
        return best_threshold(self.edge, THRESHOLDS)

    @property
    def mean_iou(self) -> float:
        """Of folds, per frame, at the best threshold."""
        return float(mean_iou(self.region)[_nearest(self.threshold)])

    def summary(self) -> dict[str, float]:
        """IoU at the best threshold and at one half."""
        found = {
            "threshold": self.threshold,
            "mean_iou": self.mean_iou,
            "pooled_iou": float(pooled_iou(self.region)[_nearest(self.threshold)]),
            "mean_iou_at_half": float(mean_iou(self.region)[_nearest(0.5)]),
            "edge_threshold": self.edge_threshold,
            "edge_pooled_iou": float(pooled_iou(self.edge)[_nearest(self.edge_threshold)]),
            "frames": float(len(self.region)),
        }
        return {name: round(value, 4) for name, value in found.items()}

    def save_sheet(self, path: Path) -> None:
        """Pictures with truth (left) and what was found (right)."""
        save_picture(path, self.sheet)


def _nearest(threshold: float) -> int:
    """Its place among `THRESHOLDS`."""
    return int(np.argmin(abs(THRESHOLDS - threshold)))


def validate(
    network: nn.Module, simulated: Path, recipe: Recipe, device: torch.device
) -> Validation:
    """Run `network` on the same validation pictures every time."""
    pictures = ValidationPictures(simulated, recipe)
    regions, edges, tiles = [], [], []
    shown = evenly_spread(len(pictures), _SHEET_PICTURES)
    for number, (_, picture) in enumerate(pictures):
        probability = probabilities(network, picture.image, device)
        regions.append(overlap_counts(probability[0], picture.fold, picture.valid, THRESHOLDS))
        edges.append(overlap_counts(probability[1], picture.edge, picture.valid, THRESHOLDS))
        if number in shown:
            tiles.append(tile(picture.image, picture.fold, probability))
    return Validation(np.stack(regions), np.stack(edges), contact_sheet(tiles, _SHEET_COLUMNS // 2))


class ValidationPictures:
    """The pictures of validation colons that a recipe asks for, drawn while they are gone through.

    Each comes with the name of its colon.
    """

    def __init__(self, simulated: Path, recipe: Recipe) -> None:
        self._recipe = recipe
        self._data = SimulatedSet(simulated, Label(recipe.data.label))
        self._frames = self._data.frames("validation")
        self._chosen = evenly_spread(len(self._frames), recipe.budget.validation_frames)

    def __len__(self) -> int:
        return len(self._chosen)

    def __iter__(self) -> Iterator[tuple[str, Rendering]]:
        for index in self._chosen:
            at = self._frames[index]
            rng = np.random.default_rng([self._recipe.seed, 7, index])
            yield at[0], drawn(self._data, at, rng, self._recipe.data.style)


@torch.no_grad()
def probabilities(network: nn.Module, image: Image, device: torch.device) -> Probability:
    """(2, H, W), fold and edge, for one (H, W, 3) picture."""
    was_training = network.training
    network.eval()
    logits = network(to_network(torch.from_numpy(image)[None], device))
    network.train(was_training)
    found: NDArray[np.float32] = logits[0, :2].sigmoid().cpu().numpy()
    return found


def tile(image: Image, truth: Mask, probability: Probability) -> Image:
    """(H, 2W, 3): truth in green on the left; on the right fold cyan, edge yellow."""
    left, right = image.copy(), image.astype(np.float32)
    left[truth] = (0.6 * left[truth] + 0.4 * np.array([60, 255, 60])).astype(np.uint8)
    for plane, colour in zip(probability, ([0, 225, 255], [255, 235, 0]), strict=True):
        share = 0.5 * plane[..., None]
        right = (1 - share) * right + share * np.array(colour, np.float32)
    return np.concatenate([left, right.astype(np.uint8)], axis=1)
