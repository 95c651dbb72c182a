"""What trackers are given: frames of simulated video, and in each the folds somebody found.

Somebody is the model, or an oracle that knows the true folds and errs as models do, reproducibly:
the oracle tells how good the association is, the model how good the whole is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from engine.errors import RecipeError
from engine.instances import InstanceOptions, split_instances, trace_outlines
from engine.segmenter import Segmenter
from engine.steadying import Steadier
from engine.types import FoldInstance, Frame, Labels, Mask, read_only
from train.simulate.dataset import Sequence
from train.tracking.consistency import Flow, Viewpoint, flow_between
from train.tracking.sightings import SMALLEST_PX

_REACH_PX = 9
"""Folds nearer than half of this may be taken for one."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A simulated video and what is true in it."""

    name: str
    frames: list[Frame]
    truths: list[Labels]
    """(H, W) fold numbers, the same all along; 0 for none."""
    flows: list[Flow]
    """From each frame to the next; one fewer than frames."""

    @property
    def interval_s(self) -> float:
        """From one frame to the next."""
        return self.frames[1].pts_s - self.frames[0].pts_s if len(self.frames) > 1 else 0.02

    @classmethod
    def of(cls, name: str, sequence: Sequence, every: int = 1) -> Clip:
        """Read a sequence that has pictures; `every` second, third, ... frame only.

        Raises:
            RecipeError: a picture is missing.
        """
        rate_hz = float(sequence.about.get("rate_hz", 50.0))
        clip = cls(name, [], [], [])
        before: Viewpoint | None = None
        for place, number in enumerate(range(0, len(sequence), every)):
            view, picture = sequence.view(number), sequence.picture(number)
            if picture is None:
                raise RecipeError(
                    f"{sequence.folder} holds no pictures.",
                    'Simulate it with simulate.pictures = "rich" or "plain".',
                )
            clip.frames.append(Frame(place, number / rate_hz, 0.0, read_only(picture.image)))
            clip.truths.append((view.instances * view.fold).astype(np.int32))
            pose = np.asarray(sequence.arrays["poses"][number])
            now = Viewpoint(view.distance_mm, pose, sequence.camera)
            if before is not None:
                clip.flows.append(flow_between(before, now))
            before = now
        return clip


def model_folds(
    clip: Clip, segmenter: Segmenter, options: InstanceOptions, steadier: Steadier | None = None
) -> Iterator[tuple[FoldInstance, ...]]:
    """The product's own way: what the network finds in each picture."""
    for frame in clip.frames:
        mask = segmenter(frame)
        yield split_instances(steadier(mask) if steadier else mask, options)


@dataclass(frozen=True, slots=True)
class Errors:
    """How often the oracle errs, per fold and frame, and for how long."""

    dropped: float = 0.04
    """A fold is missing in a single frame."""
    lost: float = 0.006
    """A fold begins to be missing for 3 to 15 frames."""
    split: float = 0.02
    """A fold begins to be cut in two for 1 to 8 frames."""
    merged: float = 0.02
    """A fold and its neighbour begin to be one for 1 to 8 frames."""
    false: float = 0.03
    """Per frame: something that is no fold begins to be seen for 1 to 3 frames."""
    jitter_px: float = 0.8
    """One sigma of the place; the width errs by a pixel, too. 0: neither errs."""


@dataclass(slots=True)
class _Spells:
    """Errors that last: number of a fold → (last frame, details)."""

    lost: dict[int, int] = field(default_factory=dict)
    split: dict[int, tuple[int, float]] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    false: list[tuple[int, Mask]] = field(default_factory=list)


def oracle_folds(
    clip: Clip,
    seed: int,
    errors: Errors = Errors(),
) -> Iterator[tuple[FoldInstance, ...]]:
    """The true folds of each frame with reproducible errors."""
    rng = np.random.default_rng(seed)
    spells = _Spells()
    for number, truth in enumerate(clip.truths):
        masks = _disturbed(truth, number, rng, errors, spells)
        folds = [fold for mask, score in masks for fold in _instances(mask, score)]
        folds.sort(key=lambda fold: -fold.area_px)
        yield tuple(replace(fold, label=label) for label, fold in enumerate(folds, start=1))


def _disturbed(
    truth: Labels, number: int, rng: np.random.Generator, errors: Errors, spells: _Spells
) -> Iterator[tuple[Mask, float]]:
    """Masks (H, W) of what is taken for a fold, each with a score."""
    folds = [int(fold) for fold in np.unique(truth) if fold]
    joined: set[int] = set()
    for fold in folds:
        _begin_spells(fold, number, rng, errors, spells)
        is_dropped = rng.random() < errors.dropped
        if is_dropped or spells.lost.get(fold, -1) >= number or fold in joined:
            continue
        mask = truth == fold
        if spells.merged.get(fold, -1) >= number:
            mask, other = _merged(fold, mask, truth)
            joined.add(other)
        last, angle = spells.split.get(fold, (-1, 0.0))
        if last >= number:
            mask = mask & ~_cut(mask, angle)
        yield _jittered(mask, rng, errors.jitter_px), float(np.clip(rng.normal(0.82, 0.06), 0, 1))
    if rng.random() < errors.false:
        spells.false.append((number + int(rng.integers(1, 4)), _blob(truth.shape, rng)))
    for last, mask in spells.false:
        if last > number:
            yield mask, float(rng.uniform(0.55, 0.75))


def _begin_spells(
    fold: int, number: int, rng: np.random.Generator, errors: Errors, spells: _Spells
) -> None:
    drawn, length = rng.random(3), rng.integers(0, 8, 3)
    if drawn[0] < errors.lost:
        spells.lost[fold] = number + 2 + int(rng.integers(0, 13))
    if drawn[1] < errors.split:
        spells.split[fold] = number + int(length[1]), float(rng.uniform(0, np.pi))
    if drawn[2] < errors.merged:
        spells.merged[fold] = number + int(length[2])


def _merged(fold: int, mask: Mask, truth: Labels) -> tuple[Mask, int]:
    """A fold joined with a later neighbour, and that one's number (0: there is none)."""
    reach = np.ones((_REACH_PX, _REACH_PX), np.uint8)
    around = cv2.dilate(mask.view(np.uint8), reach) > 0
    met = np.bincount(truth[around & ~mask])
    met[: fold + 1] = 0  # those before were given already
    if not met.any():
        return mask, 0
    other = int(met.argmax())
    both = (mask | (truth == other)).view(np.uint8)
    return np.asarray(cv2.morphologyEx(both, cv2.MORPH_CLOSE, reach) > 0), other


def _cut(mask: Mask, angle: float) -> Mask:
    """A gap of four pixels through the middle of a mask."""
    y, x = np.nonzero(mask)
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]]
    across = (columns - x.mean()) * np.cos(angle) + (rows - y.mean()) * np.sin(angle)
    return np.asarray(np.abs(across) < 2)


def _jittered(mask: Mask, rng: np.random.Generator, sigma_px: float) -> Mask:
    """A mask moved by a little, and a pixel wider or thinner or neither."""
    if not sigma_px:
        return mask
    x, y = rng.normal(0, sigma_px, 2)
    motion = np.array([[1, 0, x], [0, 1, y]])
    size = mask.shape[1], mask.shape[0]
    moved = cv2.warpAffine(mask.view(np.uint8), motion, size, flags=cv2.INTER_NEAREST)
    change = (cv2.erode, cv2.dilate, None)[int(rng.integers(3))]
    if change is not None:
        moved = change(moved, np.ones((3, 3), np.uint8))
    return np.asarray(moved > 0)


def _blob(shape: tuple[int, ...], rng: np.random.Generator) -> Mask:
    height, width = shape
    mask = np.zeros((height, width), np.uint8)
    middle = int(rng.integers(width)), int(rng.integers(height))
    axes = int(rng.integers(8, 24)), int(rng.integers(4, 8))
    cv2.ellipse(mask, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return np.asarray(mask > 0)


def _instances(mask: Mask, score: float) -> Iterator[FoldInstance]:
    """Every connected part is a fold of its own, as in the product."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    for label, area in enumerate(stats[:, cv2.CC_STAT_AREA].tolist()):
        if label and area >= SMALLEST_PX:
            contour, *holes = (
                read_only(line) for line in trace_outlines(np.asarray(parts) == label)
            )
            yield FoldInstance(label, 0, contour, float(area), score, tuple(holes))
