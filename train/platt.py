"""Probabilities that mean what they say: p = sigmoid(slope · logit + shift), one pair a plane.

Platt 1999 (scaling by slope and shift), Guo et al. 2017 (arXiv:1706.04599: one slope, the inverse
of a temperature, is most of it for deep networks). Fitted on validation colons alone and folded
into the head's weights, so it costs nothing when the network runs. Order is kept, and with it
every IoU; only thresholds move.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.bundle import CHANNELS
from engine.types import Mask
from train.calibration import BINS, Reliability, calibration_error
from train.data import to_network
from train.deployed import planes_of
from train.logistic import fit_logistic, sigmoid
from train.recipe import Recipe
from train.validation import ValidationPictures

LogitCounts = NDArray[np.float64]
"""(bins, 2): pixels of each logit that are not, and that are; adds up over frames."""

_BINS = 2048
_LARGEST = 16.0
_CENTRES = np.linspace(-_LARGEST, _LARGEST, 2 * _BINS + 1, dtype=np.float64)[1::2]


@dataclass(frozen=True, slots=True)
class Scaling:
    """p = sigmoid(slope · logit + shift)."""

    slope: float = 1.0
    """Above 0: the inverse of the temperature."""
    shift: float = 0.0

    def of(self, probability: float) -> float:
        """What a probability becomes."""
        logit = np.log(probability / (1 - probability))
        return float(sigmoid(np.array(self.slope * logit + self.shift, np.float64)))


def count_logits(logits: NDArray[np.float32], truth: Mask, valid: Mask) -> LogitCounts:
    """Of one plane (h, w) of one frame."""
    steps = (logits[valid] + _LARGEST) * (_BINS / (2 * _LARGEST))
    number = np.clip(steps, 0, _BINS - 1).astype(np.int64)
    true = truth[valid]
    both = [np.bincount(number[true == each], minlength=_BINS) for each in (False, True)]
    return np.stack(both, axis=1).astype(np.float64)


def fit_scaling(counts: LogitCounts, centres: NDArray[np.float64] = _CENTRES) -> Scaling:
    """The most likely slope and shift.

    As it was where there is nothing to fit, or where the plane is no better than chance.
    """
    if not counts.sum(0).all():
        return Scaling()
    inputs = np.stack([centres, np.ones_like(centres)], axis=1)
    slope, shift = fit_logistic(inputs, counts.sum(1), counts[:, 1], np.full(2, 1e-9)).tolist()
    return Scaling(slope, shift) if slope > 0 else Scaling()


def reliability_of(counts: LogitCounts, scaling: Scaling) -> Reliability:
    """What is said and what is true, in bins of equal width of probability."""
    said = sigmoid(scaling.slope * _CENTRES + scaling.shift)
    number = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    columns = (counts.sum(1), counts.sum(1) * said, counts[:, 1])
    return np.stack([np.bincount(number, each, minlength=BINS) for each in columns], axis=1)


def fold_into(head: nn.Conv2d, scalings: Sequence[Scaling], channels: int = 1) -> None:
    """Scale the first planes of a convolution: slope · (w ∗ x + b) + shift.

    `channels` of them, one after the other, make a plane: its sub-pixels.
    """
    if head.bias is None:
        head.bias = nn.Parameter(torch.zeros(head.out_channels))
    with torch.no_grad():
        for plane, each in enumerate(scalings):
            part = slice(channels * plane, channels * (plane + 1))
            head.weight[part] *= each.slope
            head.bias[part] = each.slope * head.bias[part] + each.shift


class _Rescaled(nn.Module):
    """A network without a `head` convolution, its first planes scaled behind it."""

    slopes: Tensor
    shifts: Tensor

    def __init__(self, network: nn.Module, scalings: Sequence[Scaling]) -> None:
        super().__init__()
        self.network = network
        slopes, shifts = ([each.slope for each in scalings], [each.shift for each in scalings])
        self.register_buffer("slopes", torch.tensor(slopes)[:, None, None])
        self.register_buffer("shifts", torch.tensor(shifts)[:, None, None])

    def forward(self, image: Tensor) -> Tensor:
        planes = self.network(image)
        count = len(self.slopes)
        return torch.cat([planes[:, :count] * self.slopes + self.shifts, planes[:, count:]], 1)


def rescaled(network: nn.Module, scalings: Sequence[Scaling]) -> nn.Module:
    """A copy whose first planes are scaled."""
    if not isinstance(getattr(network, "head", None), nn.Conv2d):
        return _Rescaled(network, scalings).eval()
    changed = copy.deepcopy(network)
    head = changed.get_submodule("head")
    assert isinstance(head, nn.Conv2d)
    fold_into(head, scalings, head.out_channels // len(planes_of(changed)))
    return changed.eval()


@dataclass(frozen=True, slots=True)
class Calibration:
    """How each plane was scaled, and what it gained."""

    scalings: tuple[Scaling, ...]
    error_before: tuple[float, ...]
    """Expected calibration error of each plane, 0..1."""
    error_after: tuple[float, ...]
    """The same, every colon measured with what was fitted on the others' half."""

    def summary(self) -> dict[str, Any]:
        """By plane, as JSON."""
        rows = zip(CHANNELS, self.scalings, self.error_before, self.error_after, strict=True)
        return {
            name: asdict(scaling)
            | {"error_before": round(before, 5), "error_after": round(after, 5)}
            for name, scaling, before, after in rows
        }


def calibrate(network: nn.Module, simulated: Path, recipe: Recipe) -> Calibration:
    """Fit every plane on the validation colons."""
    colons = _counts_by_colon(network, simulated, recipe)
    planes = [_calibrate_plane([colon[plane] for colon in colons]) for plane in range(2)]
    scalings, before, after = zip(*planes, strict=True)
    return Calibration(tuple(scalings), tuple(before), tuple(after))


def _calibrate_plane(colons: Sequence[LogitCounts]) -> tuple[Scaling, float, float]:
    """What fits all, the error without it, and the error of each half scaled by the other's fit."""
    everything = np.sum(colons, axis=0)
    halves = [np.sum(colons[start::2] or colons, axis=0) for start in (0, 1)]
    crossed = [
        reliability_of(measured, fit_scaling(fitted)) for measured, fitted in (halves, halves[::-1])
    ]
    return (
        fit_scaling(everything),
        float(calibration_error(reliability_of(everything, Scaling()))),
        float(calibration_error(np.sum(crossed, axis=0))),
    )


@torch.no_grad()
def _counts_by_colon(
    network: nn.Module, simulated: Path, recipe: Recipe
) -> list[tuple[LogitCounts, LogitCounts]]:
    device = torch.device("cpu")
    counts: dict[str, list[LogitCounts]] = {}
    for colon, picture in ValidationPictures(simulated, recipe):
        planes = network.eval()(to_network(torch.from_numpy(picture.image)[None], device))[0]
        seen = [
            count_logits(plane.numpy(), truth, picture.valid)
            for plane, truth in zip(planes, (picture.fold, picture.edge), strict=False)
        ]
        kept = counts.setdefault(colon, [np.zeros((_BINS, 2)) for _ in CHANNELS])
        for total, new in zip(kept, seen, strict=True):
            total += new
    return [(fold, edge) for fold, edge in counts.values()]
