"""Asks one segmenter about every frame of a test set.

As in the paper, a picture is brought to the size that the segmenter learned (its field of view
whole, its aspect kept), and everything is counted there. Only flicker is measured where the motion
is known exactly: in the frame's own pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.instances import InstanceOptions, label_folds
from engine.preprocess import Placement, find_field_of_view
from engine.types import Image, Labels, Mask, Points, Probability
from train.benchmark.scores import FrameScores, Scores, Shown, gathered
from train.benchmark.test_sets import LabelledFrame, LabelledSequence, LabelledSet
from train.calibration import BINS, reliability
from train.edge_metrics import berkeley_tolerance_px, edge_counts, edge_dice
from train.instance_metrics import Compared
from train.metrics import overlap_counts
from train.sampling import evenly_spread
from train.structure import boundary_f
from train.tracking.consistency import Flow, consistency, flow_between
from train.tracking.optical_flow import flow_from_pictures
from train.tracking.sightings import SMALLEST_PX, Sighting

_USUAL_PX = 256
"""The size that lengths and areas elsewhere are meant for."""
_BOUNDARY_SHARE = 2 / 256
"""Tolerance of the boundary's F, of the picture's width."""
_DICE_SHARE = 3 / 256
"""Tolerance of the edges' Dice, likewise."""
_SHOWN = 8
_NOTHING = np.zeros((BINS, 3))


class Asked(Protocol):
    """A segmenter that is measured."""

    @property
    def threshold(self) -> float:
        """A pixel is fold where its probability is at least this."""
        ...

    @property
    def edge_threshold(self) -> float:
        """The same of edges."""
        ...

    @property
    def dividing(self) -> InstanceOptions:
        """How its masks are divided into folds, on a grid of 256."""
        ...

    @property
    def has_edges(self) -> bool:
        """Whether it knows of edges."""
        ...

    @property
    def origin(self) -> str:
        """How it came about: the same text, the same answers."""
        ...

    def __call__(self, images: list[Image]) -> Probability:
        """(B, 2, H, W) of B pictures of one size: fold, edge."""
        ...


@dataclass(frozen=True, slots=True)
class Placed:
    """A frame on the segmenter's grid; planes (size, size)."""

    frame: LabelledFrame
    placement: Placement
    image: Image
    valid: Mask
    fold: Mask | None
    instances: Labels | None
    edge: Mask | None
    absent: Mask | None

    @classmethod
    def of(cls, frame: LabelledFrame, size: int) -> Placed:
        """Pictures that have the size already stay as they are; of others the view fills it."""
        height, width = frame.image.shape[:2]
        box = (0, 0, width, height)
        if (height, width) != (size, size):
            box = find_field_of_view(frame.image).box
        placement = Placement.fit(box, size)

        def mask(plane: Mask | None) -> Mask | None:
            if plane is None:
                return None
            return _nearest(plane.astype(np.float32), placement) > 0

        labels = frame.instances
        if labels is not None:
            labels = _nearest(labels.astype(np.float32), placement).astype(np.int32)
        valid = mask(frame.valid)
        assert valid is not None
        return cls(
            frame, placement, placement.image_to_grid(frame.image), valid, mask(frame.fold),
            labels, mask(frame.edge), mask(frame.absent),
        )  # fmt: skip


def _nearest(plane: NDArray[np.float32], placement: Placement) -> NDArray[np.float32]:
    """On the grid without mixing; 0 outside the crop."""
    at = placement
    crop = plane[at.crop_y : at.crop_y + at.crop_height, at.crop_x : at.crop_x + at.crop_width]
    grid = np.zeros((at.size, at.size), np.float32)
    grid[at.y : at.y + at.height, at.x : at.x + at.width] = cv2.resize(
        crop, (at.width, at.height), interpolation=cv2.INTER_NEAREST_EXACT
    )
    return grid


@dataclass(frozen=True, slots=True)
class Measure:
    """How a test set is measured."""

    size: int
    """Of the grid."""
    frames: int = 0
    """At most, evenly from all sequences; 0: every one."""
    with_edges: bool = False
    """Score edges, too, of segmenters that know of them; slow."""


def measure(segmenter: Asked, tested: LabelledSet, how: Measure, fingerprint: str) -> Scores:
    """Scores of a test set."""
    rows: list[FrameScores] = []
    shown: list[Shown] = []
    numbers = [_chosen(each, how.frames, len(tested.sequences)) for each in tested.sequences]
    total = sum(len(each) for each in numbers)
    kept = set(np.linspace(0, total - 1, _SHOWN).astype(int).tolist())
    for at, (sequence, chosen) in enumerate(zip(tested.sequences, numbers, strict=True)):
        before: tuple[Placed, Mask] | None = None
        for placed, probability in _asked(segmenter, sequence, chosen, how.size):
            labels = _folds(probability, placed, segmenter.dividing)
            called = np.asarray(probability[0] >= segmenter.threshold) & placed.valid
            flow = _steadiness((placed, called), before if sequence.is_video else None)
            if len(rows) in kept:
                shown.append(_to_show(placed, probability[0], labels))
            scores = _scores(at, placed, probability[0], labels, (segmenter.threshold, flow))
            if how.with_edges and segmenter.has_edges:
                scores = _with_edges(scores, placed, probability[1], segmenter.edge_threshold)
            rows.append(scores)
            before = placed, called
    names = [sequence.name for sequence in tested.sequences]
    return gathered((fingerprint, segmenter.threshold), names, rows, shown)


def _chosen(sequence: LabelledSequence, frames: int, sequences: int) -> list[int]:
    """Of stills evenly, of a video from the beginning on: flicker needs neighbours."""
    count = min(len(sequence), -(-frames // sequences)) if frames else len(sequence)
    if sequence.is_video:
        return list(range(count))
    return evenly_spread(len(sequence), count)


def _asked(
    segmenter: Asked, sequence: LabelledSequence, numbers: list[int], size: int
) -> Iterator[tuple[Placed, Probability]]:
    for number in numbers:
        placed = Placed.of(sequence[number], size)
        yield placed, segmenter([placed.image])[0]


def _scores(
    sequence: int,
    placed: Placed,
    probability: NDArray[np.float32],
    labels: Labels,
    told: tuple[float, float],
) -> FrameScores:
    """`told`: threshold and steadiness."""
    threshold, steadiness = told
    called = probability >= threshold
    absent = placed.absent
    free = (0, 0)
    if absent is not None:
        region = absent & placed.valid
        free = int((called & region).sum()), int(region.sum())
    if placed.fold is None:
        counts = np.zeros((1, 3), np.int64)
        return FrameScores(sequence, counts, float("nan"), _NOTHING, steadiness, free, None)
    tolerance_px = max(1.0, _BOUNDARY_SHARE * called.shape[1])
    truth = placed.fold & placed.valid
    return FrameScores(
        sequence=sequence,
        counts=overlap_counts(probability, truth, placed.valid, np.array([threshold])),
        boundary_f=boundary_f(np.asarray(called), truth, placed.valid, tolerance_px),
        reliability=reliability(probability, truth, placed.valid),
        steadiness=steadiness,
        called=free,
        compared=_compared(placed, labels, probability),
    )


def _with_edges(
    scores: FrameScores, placed: Placed, probability: NDArray[np.float32], threshold: float
) -> FrameScores:
    """And how well edges are found, where they are known."""
    if placed.edge is None:
        return scores
    truth = placed.edge & placed.valid
    found = np.asarray(probability >= threshold) & placed.valid
    tolerance_px = max(1.0, _DICE_SHARE * truth.shape[1])
    return replace(
        scores,
        edges=edge_counts(probability, truth, placed.valid, berkeley_tolerance_px(truth.shape)),
        edge_dice=edge_dice(found, truth, tolerance_px),
    )


def _folds(probability: Probability, placed: Placed, usual: InstanceOptions) -> Labels:
    """Single folds on the grid, as the product divides them; its lengths and areas scaled."""
    scale = probability.shape[-1] / _USUAL_PX
    options = replace(
        usual,
        smallest=max(1, round(usual.smallest * scale**2)),
        smallest_core=max(1, round(usual.smallest_core * scale**2)),
        bend_scale=usual.bend_scale * scale,
        joining=usual.joining and usual.joining.scaled(scale),
    )

    def colours(cells: Points) -> Image:
        x, y = cells.astype(np.intp).T
        return np.asarray(placed.image[y, x])

    labels = label_folds(probability[0], probability[1], options, colours)
    areas = np.bincount(labels.ravel())
    return np.where(placed.valid & (areas >= options.smallest)[labels], labels, 0).astype(np.int32)


def _compared(placed: Placed, labels: Labels, probability: NDArray[np.float32]) -> Compared | None:
    """Found folds against true ones; folds without a name count for nobody."""
    if placed.instances is None or placed.fold is None:
        return None
    truth = np.where(placed.valid & placed.fold, placed.instances, 0).astype(np.int32)
    is_nameless = placed.fold & (truth == 0)
    found = np.where(is_nameless, 0, labels).astype(np.int32)
    smallest = max(1, round(SMALLEST_PX * (labels.shape[1] / _USUAL_PX) ** 2))
    seen = Sighting.of(truth, found, smallest)
    sure = [float(probability[found == label].mean()) for label in seen.tracks]
    return Compared(seen.iou, np.array(sure, float))


def _steadiness(now: tuple[Placed, Mask], before: tuple[Placed, Mask] | None) -> float:
    """Agreement of two masks of a video; NaN for what has no frame before."""
    if before is None:
        return float("nan")
    (placed, called), (earlier, called_before) = now, before
    if placed.frame.viewpoint is None or earlier.frame.viewpoint is None:
        views = (earlier.valid, placed.valid)
        return consistency(
            flow_from_pictures(earlier.image, placed.image, views), called_before, called
        )
    flow: Flow = flow_between(earlier.frame.viewpoint, placed.frame.viewpoint)
    return consistency(flow, _in_frame(earlier, called_before), _in_frame(placed, called))


def _in_frame(placed: Placed, mask: Mask) -> Mask:
    shape = placed.frame.image.shape[:2]
    plane: NDArray[Any] = placed.placement.map_to_frame(mask.astype(np.float32), shape)
    return np.asarray(plane > 0.5) & placed.frame.valid


def _to_show(placed: Placed, probability: NDArray[np.float32], labels: Labels) -> Shown:
    nothing = np.zeros(labels.shape, np.int32)
    return Shown(
        placed.image,
        nothing > 0 if placed.fold is None else placed.fold & placed.valid,
        nothing if placed.instances is None else placed.instances,
        np.round(probability * 255).astype(np.uint8),
        labels,
    )
