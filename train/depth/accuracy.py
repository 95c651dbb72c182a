"""How wrong a depth network is, after the scale (and shift) that it cannot know.

Eigen et al. 2014 (arXiv:1406.2283): mean of |d - d*| / d*; share of pixels with
max(d / d*, d* / d) < 1.25; root of the mean of (log d - log d*)². Depth is first scaled by the
median of d* / d of its picture, inverse depth aligned by least squares; sums run over valid pixels
of each picture, means over pictures, intervals over sequences.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.types import Image
from train.depth import DepthEstimator
from train.losses.depth import DepthPrediction, align
from train.metrics import Interval, bootstrap_items

FIGURES = ("AbsRel", "delta < 1.25", "log RMSE")
_FLOOR = 0.02
"""Aligned inverse depth counts as no smaller than this share of the picture's mean."""


@dataclass(frozen=True, slots=True)
class KnownDepth:
    """A picture and its depth."""

    image: Image
    """(H, W, 3) RGB."""
    depth_mm: Tensor
    """(H, W) along the ray, 0 where unknown."""
    group: str
    """Sequence; frames of one resemble each other."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Each figure with its interval, in the order of `FIGURES`."""

    figures: tuple[Interval, ...]
    pictures: int
    groups: int

    def row(self) -> str:
        """Cells of a Markdown row."""
        cells = [str(figure) for figure in self.figures]
        return f"| {' | '.join(cells)} | {self.pictures} | {self.groups} |"


def as_scaled_depth(prediction: DepthPrediction, truth_mm: Tensor) -> Tensor:
    """Depth in mm (B, H, W) as near to the truth as scale (inverse: and shift) can bring it."""
    valid = truth_mm > 0
    inverse_truth = torch.where(valid, 1 / truth_mm.clamp_min(1e-6), 0.0)
    if prediction.is_inverse:
        mean = (inverse_truth.sum((1, 2)) / valid.sum((1, 2)).clamp_min(1))[:, None, None]
        inverse = align(prediction.values, inverse_truth, valid)
        return 1 / torch.maximum(inverse, _FLOOR * mean)
    scaled = []
    for values, truth, known in zip(prediction.values, truth_mm, valid, strict=True):
        scaled.append(values * (truth[known] / values[known].clamp_min(1e-6)).median())
    return torch.stack(scaled)


def errors(depth_mm: Tensor, truth_mm: Tensor) -> list[float]:
    """The `FIGURES` of one picture (H, W), of pixels whose truth is known."""
    known = truth_mm > 0
    found, truth = depth_mm[known].double(), truth_mm[known].double()
    ratio = torch.maximum(found / truth, truth / found)
    return [
        float(((found - truth).abs() / truth).mean()),
        float((ratio < 1.25).double().mean()),
        float((found / truth).log().square().mean().sqrt()),
    ]


@torch.no_grad()
def measure(estimator: DepthEstimator, pictures: Iterable[KnownDepth]) -> Accuracy:
    """Errors of an estimator over pictures; those without known depth are left out."""
    by_group: dict[str, list[list[float]]] = {}
    for picture in pictures:
        if not (picture.depth_mm > 0).any():
            continue
        truth = picture.depth_mm[None]
        depth = as_scaled_depth(estimator(to_pictures(picture.image)), truth)
        by_group.setdefault(picture.group, []).append(errors(depth[0], truth[0]))
    groups = [np.array(rows) for rows in by_group.values()]
    intervals = bootstrap_items(
        groups, lambda drawn: np.concatenate(drawn).mean(0).tolist() if drawn else []
    )
    return Accuracy(tuple(intervals), sum(map(len, groups)), len(groups))


def to_pictures(image: Image) -> Tensor:
    """(H, W, 3) uint8 → (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 127.5 - 1
