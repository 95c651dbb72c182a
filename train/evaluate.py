"""Measures a sealed bundle through the program's own path, and prints one table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.analyser import following_options
from engine.backends import DEFAULT_BACKEND, open_backend
from engine.bundle import ModelBundle
from engine.errors import RecipeError
from engine.instances import InstanceOptions, split_instances
from engine.preprocess import find_field_of_view
from engine.segmenter import Segmenter
from engine.types import FoldInstance, FoldMask, Frame, Image, Mask, Probability
from train.false_alarms import Alarms, Ground, called_areas, grounds
from train.metrics import Interval, bootstrap, mean_iou, overlap_counts, pooled_iou
from train.pictures import block_of
from train.real import Half, RealFrame, RealKind, read_image, read_polyp, real_frames
from train.real_sheet import unseen_views
from train.reports import write_report
from train.sheets import contact_sheet, save_picture
from train.simulate.appearance import shade
from train.simulate.dataset import Label, SimulatedSet
from train.validation import tile

_SHEET_TILES, _SHEET_COLUMNS = 24, 3
_SHEET_SIZE = 256
_SEED = 4711
_IN_VIEWS = (Ground.HIGHLIGHT, Ground.SHEET, Ground.RIM, Ground.VIEW)
_BESIDE_REST = (Ground.HIGHLIGHT, Ground.SHEET, Ground.RIM)
_GOALS = {"polyps called fold": "≤ 0.05"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    name: str
    measured: Interval
    frames: int
    goal: str = ""

    def row(self) -> str:
        """Markdown."""
        return f"| {self.name} | {self.measured} | {self.frames} | {self.goal} |"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one bundle."""

    bundle: str
    threshold: float
    threshold_from: str
    figures: tuple[Figure, ...]

    def table(self) -> str:
        """Markdown; intervals are 95 % bootstrap over sequences (real: over frames)."""
        return "\n".join(
            [
                f"Threshold {self.threshold} from {self.threshold_from}.",
                "",
                "| measure | value [95 % interval] | frames | goal |",
                "|---|---|---|---|",
                *(figure.row() for figure in self.figures),
            ]
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON, table included."""
        figures = [
            {"name": each.name, "measured": each.measured.as_dict(), "frames": each.frames,
             "goal": each.goal}
            for each in self.figures
        ]  # fmt: skip
        return asdict(self) | {"figures": figures, "table": self.table()}

    def write(self, folder: Path) -> None:
        """evaluation.json and evaluation.md.

        Raises:
            RecordingError: the folder cannot be written.
        """
        write_report(folder, "evaluation", self.table(), self.as_dict())


class Evaluator:
    """Runs one bundle on pictures, each as if it were the first of a video."""

    def __init__(self, bundle: ModelBundle, backend: str = DEFAULT_BACKEND) -> None:
        self.bundle = bundle
        self._backend = open_backend(bundle, backend, threads=2)
        self._segmenter = Segmenter(self._backend, bundle.input.size)
        self._tiles: dict[str, list[Image]] = {}

    @property
    def dividing(self) -> InstanceOptions:
        """How the program divides this bundle's masks into folds."""
        return following_options(self.bundle)[0]

    def close(self) -> None:
        """Give the back end back."""
        self._backend.close()

    @property
    def shown(self) -> tuple[str, ...]:
        """Names that have a contact sheet."""
        return tuple(self._tiles)

    def probability(self, image: Image) -> Probability:
        """(2, H, W) in frame pixels."""
        found, shape = self._segmented(image), image.shape[:2]
        return np.stack(
            [
                found.placement.map_to_frame(plane, shape)
                for plane in (found.probability, found.edge)
            ]
        )

    def folds(self, image: Image) -> tuple[FoldInstance, ...]:
        """Single folds, as the program divides them."""
        return split_instances(self._segmented(image), self.dividing)

    def _segmented(self, image: Image) -> FoldMask:
        self._segmenter.reset()
        return self._segmenter(Frame(0, 0.0, 0.0, image))

    def simulated(self, name: str, folder: Path, goal: str) -> list[Figure]:
        """Fold IoU per frame and pooled, fold-edge IoU pooled, on a set's test colons."""
        data = SimulatedSet(folder, label_of(self.bundle))
        limits = np.array([self.bundle.threshold]), np.array([self.bundle.edge_threshold])
        regions, edges = [], []
        for number, sequence in enumerate(data.splits["test"]):
            frames = [index for kept, index in data.frames("test") if kept == sequence]
            region, edge = [], []
            for index in frames:
                rng = np.random.default_rng([_SEED, number, index])
                picture = shade(data.frame(sequence, index), rng, "rich")
                found = self.probability(picture.image)
                region.append(overlap_counts(found[0], picture.fold, picture.valid, limits[0]))
                edge.append(overlap_counts(found[1], picture.edge, picture.valid, limits[1]))
                if index == frames[len(frames) // 3] or index == frames[2 * len(frames) // 3]:
                    self._keep(name, picture.image, picture.fold, found)
            regions.append(np.stack(region))
            edges.append(np.stack(edge))
        total = sum(len(counts) for counts in regions)
        return [
            Figure(f"fold IoU, {name}, mean of frames", bootstrap(regions, _mean), total, goal),
            Figure(f"fold IoU, {name}, pooled", bootstrap(regions, _pooled), total, goal),
            Figure(f"edge IoU, {name}, pooled", bootstrap(edges, _pooled), total),
        ]

    def alarms(self, name: str, frames: Sequence[RealFrame]) -> Alarms:
        """What is called fold on real frames; every so many of them go on a contact sheet."""
        areas = []
        for number, frame in enumerate(frames):
            image = read_image(frame.path)
            view, shape = find_field_of_view(image).mask, image.shape[:2]
            is_flat = frame.kind is RealKind.FLAT
            absent = view if is_flat else read_polyp(frame, shape) & view
            found = self.probability(image)
            parts = grounds(image, view, absent)
            areas.append(called_areas(found[0], parts, self.bundle.threshold))
            if number % max(1, len(frames) // _SHEET_TILES) == 0:
                self._keep(name, image, absent & (not is_flat), found)
        return Alarms(np.stack(areas), tuple(block_of(frame.path) for frame in frames))

    def save_sheets(self, folder: Path, names: Iterable[str]) -> None:
        """One contact sheet a name: truth on the left, what was found on the right."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            tiles = self._tiles.get(name)
            if tiles:
                sheet = contact_sheet(tiles[:_SHEET_TILES], _SHEET_COLUMNS)
                stem = "".join(c if c.isalnum() else "-" for c in name)
                save_picture(folder / f"{stem}.jpg", sheet)

    def _keep(self, name: str, image: Image, truth: Mask, found: Probability) -> None:
        scale = _SHEET_SIZE / max(image.shape[:2])
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        shrink = partial(cv2.resize, dsize=size, interpolation=cv2.INTER_AREA)
        small = shrink(image)
        mask = shrink(truth.astype(np.uint8) * 255) > 127
        shown = np.stack([shrink(np.ascontiguousarray(plane)) for plane in found])
        made = tile(small.astype(np.uint8), mask, shown.astype(np.float32))
        framed = np.zeros((_SHEET_SIZE, 2 * _SHEET_SIZE, 3), np.uint8)
        framed[: made.shape[0], : made.shape[1]] = made
        self._tiles.setdefault(name, []).append(framed)


@dataclass(frozen=True, slots=True)
class EvaluationPlaces:
    """Where the test data lie; what is None or absent is left out of the table."""

    simulated: Path | None = None
    ct: Path | None = None
    real: Path | None = None
    sheets: Path | None = None
    """For contact sheets of simulated frames."""
    real_sheets: Path | None = None
    """For contact sheets of real frames: keep it outside any repository."""


def evaluate(
    bundle: ModelBundle, places: EvaluationPlaces, backend: str = DEFAULT_BACKEND
) -> Evaluation:
    """Every figure that the places allow.

    Raises:
        RecipeError: they allow none.
    """
    evaluator = Evaluator(bundle, backend)
    try:
        figures = _simulated_figures(evaluator, places)
        names = evaluator.shown
        figures += _real_figures(evaluator, places.real)
        if places.sheets is not None:
            evaluator.save_sheets(places.sheets, names)
        if places.real_sheets is not None:
            kept = [name for name in evaluator.shown if name not in names]
            evaluator.save_sheets(places.real_sheets, kept)
    finally:
        evaluator.close()
    if not figures:
        raise RecipeError(
            "There is nothing to measure on.", "Name a simulated set or a folder of real frames."
        )
    source = str(bundle.provenance.get("threshold_from", "unknown"))
    return Evaluation(f"{bundle.name} {bundle.version}", bundle.threshold, source, tuple(figures))


def _simulated_figures(evaluator: Evaluator, places: EvaluationPlaces) -> list[Figure]:
    figures = []
    if places.simulated is not None:
        figures += evaluator.simulated("unseen procedural colons", places.simulated, "≥ 0.75")
    if places.ct is not None:
        figures += evaluator.simulated("CT colon A", places.ct, "≥ 0.62")
    return figures


def _real_figures(evaluator: Evaluator, real: Path | None) -> list[Figure]:
    if real is None:
        return []
    flat = [frame for frame in real_frames(real) if frame.kind is RealKind.FLAT]
    return [*_flat_figures(evaluator, flat), *_view_figures(evaluator, real)]


def _flat_figures(evaluator: Evaluator, flat: Sequence[RealFrame]) -> list[Figure]:
    """Of crops that hold no fold: those never seen, those seen without labels, and all."""
    if not flat:
        return []
    found = evaluator.alarms("CP-CHILD flat mucosa", flat)
    unseen = found.chosen(lambda number: flat[number].half is Half.TEST)
    seen = found.chosen(lambda number: flat[number].half is Half.TRAINING)
    parts = {
        "CP-CHILD-B flat mucosa, never seen": (unseen, "≤ 0.01"),
        "CP-CHILD-A flat mucosa, seen unlabelled": (seen, ""),
        "CP-CHILD flat mucosa, all": (found, "≤ 0.01"),
    }
    return [
        Figure(f"{name}: area called fold", part.share(Ground.ABSENT), len(part), goal)
        for name, (part, goal) in parts.items()
        if len(part)
    ]


def _view_figures(evaluator: Evaluator, real: Path) -> list[Figure]:
    """Of proper views that were never seen: polyps, highlights, and the rim of the view."""
    figures = []
    for name, frames in unseen_views(real).items():
        found = evaluator.alarms(name, frames)
        measured = {f"{ground} called fold": found.share(ground) for ground in _IN_VIEWS}
        measured |= {
            f"{ground}, times the rest of the view": found.excess(ground) for ground in _BESIDE_REST
        }
        if any(frame.kind is RealKind.POLYP for frame in frames):
            measured |= {
                "polyps called fold": found.share(Ground.ABSENT),
                f"{Ground.BARE_HIGHLIGHT} called fold": found.share(Ground.BARE_HIGHLIGHT),
            }
        figures += [
            Figure(f"{name}: {what}", value, len(found), _GOALS.get(what, ""))
            for what, value in measured.items()
        ]
    return figures


def label_of(bundle: ModelBundle) -> Label:
    """What the network learned to call a fold; a bundle from elsewhere is held against ours."""
    try:
        return Label(bundle.provenance["recipe"]["data"]["label"])
    except (KeyError, TypeError, ValueError):
        return Label.REGION


def _mean(counts: NDArray[np.int64]) -> float:
    return float(mean_iou(counts)[0])


def _pooled(counts: NDArray[np.int64]) -> float:
    return float(pooled_iou(counts)[0])
