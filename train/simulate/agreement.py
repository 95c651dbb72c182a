"""Are labels from curvature true? Held against what the generator knows of its own folds.

For every frame the region label is compared with the analytic folds: places where the wall
reaches at least a share of its fold's own height. The share that fits best is part of the answer:
it says how far down its flanks a labelled fold reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from tqdm import tqdm

from engine.types import Image
from train.reports import write_report as write_files
from train.sheets import contact_sheet as in_rows
from train.simulate.anatomy import grow_colon
from train.simulate.camera import Fisheye
from train.simulate.camera_path import PathOptions, camera_path
from train.simulate.curvature import label_crests
from train.simulate.dataset import View
from train.simulate.folds import divide_crests
from train.simulate.hits import Hits
from train.simulate.render import Photographer, StageTimes
from train.simulate.tube import LOWEST_MM, Feature, Tube

SHARES = (0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)
_SMALLEST_PX = 60
"""Of 256²: fewer visible pixels of a fold count neither as found nor as missed."""
_FIRST_SEED = 70_000
_SHEET_COLUMNS = 4
_CREST_SHARE = 0.4
"""Of an arc's height: what is lower is no part of its crest."""

Labels = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One frame: what was labelled, and the truth at each of `SHARES`."""

    view: View
    truths: tuple[Labels, ...]
    """(H, W) analytic fold numbers, 0 for none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well labels and analytic folds agree at one share of the height."""

    share: float
    median_iou: float
    mean_iou: float
    fold_recall: float
    """Visible folds of which at least half was labelled."""
    instance_ap50: float
    frames: int

    def row(self) -> str:
        """Markdown."""
        return (
            f"| {self.share:.2f} | {self.median_iou:.3f} | {self.mean_iou:.3f} "
            f"| {self.fold_recall:.3f} | {self.instance_ap50:.3f} |"
        )


def example_colon(seed: int) -> Tube:
    """The colon of that number, of which no recipe renders any."""
    return grow_colon(np.random.default_rng(_FIRST_SEED + seed))


def compare_colon(seed: int, frames: int) -> list[Comparison]:
    """Views of one procedural colon that no recipe renders."""
    rng = np.random.default_rng(_FIRST_SEED + seed)
    tube = grow_colon(rng)
    camera = Fisheye.colonoscope(256, float(np.radians(rng.uniform(56, 78))))
    photographer = Photographer(tube, label_crests(tube), camera)
    options = PathOptions(frames, 0.08, 0.92, wobble_frames=1.0, deflection=0.4)
    fold = true_folds(tube)
    found = []
    for number, pose in enumerate(camera_path(tube, rng, options)):
        pose = photographer.clear_of_wall(pose)
        view, hits = photographer.look(number, pose, StageTimes())
        found.append(Comparison(view, _truths(hits, tube, fold)))
    return found


def true_folds(tube: Tube) -> Labels:
    """Fold number (n,) of every vertex that an arc shapes, by construction.

    Arcs that run into each other make one crest, and one connected crest is one fold: so the exact
    height is divided by the rule that divides crests found by curvature.
    """
    folds = tube.folds
    numbers = divide_crests(folds.region(_CREST_SHARE) > 0, folds.height_mm, tube.faces)
    members = np.flatnonzero(numbers)
    if not len(members):
        return numbers
    shaped = np.flatnonzero(folds.arc)
    nearest = cKDTree(tube.vertices[members]).query(tube.vertices[shaped])[1]
    numbers[shaped] = numbers[members[nearest]]
    return numbers


def _truths(hits: Hits, tube: Tube, of_vertex: Labels) -> tuple[Labels, ...]:
    folds = tube.folds
    is_tall = hits.interpolate(folds.crest_mm) >= LOWEST_MM
    share = hits.image(np.where(is_tall, hits.interpolate(folds.share), 0.0))
    is_wall = hits.image(hits.label(tube.feature)) == Feature.NONE
    fold = np.where(is_wall, hits.image(hits.label(of_vertex)), 0)
    return tuple(np.where(share >= least, fold, 0) for least in SHARES)


def agreement(comparisons: Sequence[Comparison], number: int) -> Agreement:
    """The figures at `SHARES[number]` over frames that show any fold."""
    overlaps, recalled, scored, folds = [], [], [], 0
    for each in comparisons:
        truth, fold = each.truths[number], each.view.fold
        either = np.count_nonzero((truth > 0) | fold)
        if either >= _SMALLEST_PX:
            overlaps.append(np.count_nonzero((truth > 0) & fold) / either)
        recalled += _recalled(truth, fold)
        matches, count = match_instances(each.view.instances, truth)
        scored += matches
        folds += count
    return Agreement(
        SHARES[number],
        float(np.median(overlaps)),
        float(np.mean(overlaps)),
        float(np.mean(recalled)),
        average_precision(scored, folds),
        len(comparisons),
    )


def _recalled(truth: Labels, fold: NDArray[np.bool_]) -> list[bool]:
    sizes = np.bincount(truth.ravel())
    covered = np.bincount(truth[fold], minlength=len(sizes))
    visible = np.flatnonzero(sizes >= _SMALLEST_PX)
    return [bool(covered[i] >= 0.5 * sizes[i]) for i in visible if i]


def match_instances(
    labelled: Labels, truth: Labels, smallest: int = _SMALLEST_PX
) -> tuple[list[tuple[float, bool]], int]:
    """(area, is right) of each labelled instance, and how many true ones there are.

    An instance is right when it overlaps a true one that no larger instance took by an IoU of at
    least one half. Pieces of fewer than `smallest` pixels are ignored on both sides.
    """
    a, b = labelled.ravel().astype(np.int64), truth.ravel().astype(np.int64)
    area_a, area_b = np.bincount(a), np.bincount(b)
    table = np.zeros((len(area_a), len(area_b)), np.int64)
    np.add.at(table, (a, b), 1)
    real = [int(i) for i in np.flatnonzero(area_b >= smallest) if i]
    free, matches = set(real), []
    drawn = [int(i) for i in np.flatnonzero(area_a >= smallest) if i]
    for i in sorted(drawn, key=lambda i: -int(area_a[i])):
        iou = {j: _iou(int(table[i, j]), int(area_a[i]), int(area_b[j])) for j in free}
        best = max(iou, key=lambda j: iou[j], default=0)
        is_right = iou.get(best, 0.0) >= 0.5
        if is_right:
            free.remove(best)
        elif _is_ignorable(table[i], area_a[i], area_b, smallest):
            continue
        matches.append((float(area_a[i]), is_right))
    return matches, len(real)


def _iou(shared: int, area: int, other: int) -> float:
    return shared / (area + other - shared)


def _is_ignorable(
    overlap: NDArray[np.int64], area: int, areas: NDArray[np.int64], smallest: int
) -> bool:
    """Most of the instance lies on true pieces too small to count."""
    small = np.flatnonzero((areas > 0) & (areas < smallest))
    return bool(overlap[small[small > 0]].sum() > 0.5 * area)


def average_precision(scored: Sequence[tuple[float, bool]], truths: int) -> float:
    """Area under the precision-recall curve, larger instances first (all-point interpolation)."""
    if not truths:
        return float("nan")
    right = np.array([is_right for _, is_right in sorted(scored, key=lambda each: -each[0])], float)
    if not len(right):
        return 0.0
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_after = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0.0], hits / truths]))
    return float(np.sum(steps * best_after))


def compare_colons(seeds: Sequence[int], frames: int) -> list[Comparison]:
    """Views of several colons, on all cores, with progress."""
    with ProcessPoolExecutor() as pool:
        jobs = pool.map(partial(compare_colon, frames=frames), seeds)
        bar = tqdm(jobs, total=len(seeds), unit="colon", desc="labels")
        return [each for colon in bar for each in colon]


def write_report(comparisons: Sequence[Comparison], folder: Path) -> str:
    """Write labels.md, labels.json and labels.png; returns the table in Markdown.

    Raises:
        RecordingError: the folder cannot be written.
    """
    rows = [agreement(comparisons, number) for number in range(len(SHARES))]
    best = max(rows, key=lambda row: row.median_iou)
    table = "\n".join(
        [
            f"{best.frames} frames; the height share that fits best is {best.share}.",
            "",
            "| share of the height | median IoU | mean IoU | fold recall | instance AP50 |",
            "|---|---|---|---|---|",
            *(row.row() for row in rows),
        ]
    )
    sheet = contact_sheet(comparisons, SHARES.index(best.share))
    figures = [asdict(row) for row in rows]
    write_files(folder, "labels", table, figures, {"labels.png": sheet})
    return table


def contact_sheet(comparisons: Sequence[Comparison], number: int, tiles: int = 24) -> Image:
    """Truth (left) and labels (right) in the colours of their folds, from worst to best frame."""
    order = sorted(range(len(comparisons)), key=lambda i: _overlap(comparisons[i], number))
    chosen = [order[i] for i in np.linspace(0, len(order) - 1, tiles).astype(int)]
    pairs = [
        np.concatenate(
            [
                _coloured(comparisons[i].view, comparisons[i].truths[number]),
                _coloured(comparisons[i].view, comparisons[i].view.instances),
            ],
            axis=1,
        )
        for i in chosen
    ]
    return in_rows(pairs, _SHEET_COLUMNS)


def _overlap(comparison: Comparison, number: int) -> float:
    truth, fold = comparison.truths[number] > 0, comparison.view.fold
    return float((truth & fold).sum()) / max(1.0, float((truth | fold).sum()))


def _coloured(view: View, labels: Labels) -> Image:
    shade = np.clip(-view.normal[..., 2:] * 150, 0, 255).repeat(3, axis=2)
    colours = np.random.default_rng(1).integers(70, 256, (int(labels.max(initial=0)) + 1, 3))
    is_fold = labels > 0
    shade[is_fold] = 0.35 * shade[is_fold] + 0.65 * colours[labels[is_fold]]
    return np.asarray(shade, np.uint8)
