"""One table over several translators on the same scenes: what they keep, and how real they look.

Structure: `train.translation.judges`. Realism: KID and FID in the pooled features of
EfficientNet-Lite0 (ImageNet), which is there offline; figures in Inception features are on another
scale. Real frames are such as no translator has seen; a row of those that it may have seen
says how near zero real pictures come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.bundle import ModelBundle
from engine.errors import RecipeError
from engine.types import Image
from train.depth import DepthEstimator, open_estimator
from train.evaluate import label_of
from train.metrics import Interval, bootstrap_items
from train.simulate.dataset import SimulatedSet
from train.translation.closeness import NOTHING, SEEN, Closeness, Distances, closeness
from train.translation.contact import write_sheets
from train.translation.judges import BUNDLED, FIGURES, Judges, Scene, scenes
from train.translation.manner import MANNERS, Manner, manners
from train.translation.painter import Painter
from train.translation.steadiness import Pair, pairs
from train.translation.verdict import Row, Verdict

UNTRANSLATED = "simulated"
_FEWEST_SCENES = 4
_PAINTED_AT_ONCE = 16
_PAIRS = 8
"""Of neighbouring frames, from each video."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is judged, by whom, on what. The same trial gives the same figures."""

    simulated: Path
    translators: Mapping[str, Sequence[Path]]
    """Row → products of one translator, one a seed."""
    out: Path
    real: Path | None = None
    segmenter: Path = BUNDLED
    depth: str = "colon"
    depth_weights: Path | None = None
    """None: those that travel with the package; a translator must not have learned from them."""
    frames: int = 200
    split: str = "test"
    against: str = UNTRANSLATED
    """The row that differences are taken from."""
    seed: int = 1
    video: Path | None = None
    """Simulated examinations to look for flicker in; none: no figures of it."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """For the table: rows that have no translator, and why."""

    @property
    def runs(self) -> dict[str, list[str]]:
        """Row → names of its runs."""
        found = {UNTRANSLATED: [UNTRANSLATED]}
        for row, products in self.translators.items():
            several = [f"{row}, {product.parent.name}" for product in products]
            found[row] = several if len(several) > 1 else [row]
        return found


def named(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """A row for each product, called like the run's folder where it lies in one.

    Where runs of several folders have one name, as those of a comparison have, so do the folders.

    Raises:
        RecipeError: two have one name.
    """
    whole = [folder.resolve() for folder in folders]
    runs = [folder.parent if folder.name == "translator" else folder for folder in whole]
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [f"{run.parent.name}/{run.name}" for run in runs]
    if len(set(names)) < len(names):
        raise RecipeError("Two translators have one name.", "Rename the folder of one.")
    return {name: [folder] for name, folder in zip(names, whole, strict=True)}


@dataclass(frozen=True, slots=True)
class Bench:
    """What judges, and on what."""

    bundle: ModelBundle
    depth: DepthEstimator
    data: SimulatedSet
    video: SimulatedSet | None

    @classmethod
    def of(cls, trial: Trial) -> Bench:
        """Open everything but translators: what would stop an evaluation is told at once.

        Raises:
            RecipeError: no set, too few scenes, a segmenter or depth network that is none, or no
                row to compare with.
        """
        if trial.frames < _FEWEST_SCENES:
            raise RecipeError(
                f"{trial.frames} frames are too few to compare.", f"Take at least {_FEWEST_SCENES}."
            )
        if trial.against not in trial.runs:
            raise RecipeError(
                f"There is no row {trial.against!r}.", f"Choose one of: {', '.join(trial.runs)}."
            )
        bundle = ModelBundle.open(trial.segmenter)
        data = SimulatedSet(trial.simulated, label_of(bundle))
        if trial.split not in data.splits:
            raise RecipeError(
                f"{data.folder} has no split {trial.split!r}.",
                f"Choose one of: {', '.join(data.splits)}.",
            )
        if len(data.splits[trial.split]) < 2:
            raise RecipeError(
                f"{data.folder} has fewer than two {trial.split} colons.", "Simulate a larger set."
            )
        depth = open_estimator(trial.depth, trial.depth_weights)
        return cls(bundle, depth, data, SimulatedSet(trial.video) if trial.video else None)


def evaluate_translators(trial: Trial) -> Verdict:
    """Judge, and write the table and the contact sheets.

    Raises:
        RecipeError: as `Bench.of`; no translator, or some that learned from different pictures.
        RecordingError: the folder cannot be written.
    """
    bench = Bench.of(trial)
    painters = {
        run: Painter.open(product)
        for row, products in trial.translators.items()
        for run, product in zip(trial.runs[row], products, strict=True)
    }
    style = _one_style(painters)
    shown = scenes(bench.data, trial.split, style, count=trial.frames, seed=trial.seed)
    colons = np.unique(np.array([scene.sequence for scene in shown]), return_inverse=True)[1]
    pictures = _pictures(painters, shown)
    figures = _judged(Judges(bench.bundle, bench.depth), pictures, shown)
    near = NOTHING
    if trial.real is not None:
        near = closeness(pictures, colons, trial.real, trial.seed)
    video: list[Pair] = []
    if bench.video is not None:
        video = pairs(bench.video, trial.split, style, count=_PAIRS, seed=trial.seed)
    found = Findings(figures, colons, near, manners(painters, shown, video, trial.seed))
    verdict = _verdict(trial, found)
    verdict.write(trial.out)
    first = {row: pictures[runs[0]] for row, runs in trial.runs.items()}
    last = trial.runs[list(first)[-1]][0]
    write_sheets(trial.out, first, near.unseen, near.neighbours.get(last))
    return verdict


def _one_style(painters: Mapping[str, Painter]) -> str:
    """What all translators learned from."""
    styles = {painter.about.style for painter in painters.values()}
    if len(styles) != 1:
        raise RecipeError(
            f"The translators learned from different pictures: {', '.join(sorted(styles))}.",
            "Evaluate those together that learned from one style.",
        )
    return styles.pop()


def _pictures(painters: Mapping[str, Painter], shown: Sequence[Scene]) -> dict[str, Image]:
    """Run → (n, H, W, 3)."""
    rows = {UNTRANSLATED: np.stack([scene.rendering.image for scene in shown])}
    return rows | {name: _painted(painter, shown, name) for name, painter in painters.items()}


def _painted(painter: Painter, shown: Sequence[Scene], name: str) -> Image:
    """(n, H, W, 3)."""
    renderings = [scene.rendering for scene in shown]
    starts = tqdm(range(0, len(shown), _PAINTED_AT_ONCE), desc=name, unit="batch")
    return np.concatenate([painter(renderings[i : i + _PAINTED_AT_ONCE]) for i in starts])


def _judged(
    judges: Judges, pictures: Mapping[str, Image], shown: Sequence[Scene]
) -> dict[str, NDArray[np.float64]]:
    """Run → (n, figures)."""
    try:
        return {
            name: np.stack([
                judges(image, scene)
                for image, scene in zip(tqdm(images, desc=f"judge {name}"), shown, strict=True)
            ])
            for name, images in pictures.items()
        }  # fmt: skip
    finally:
        judges.close()


@dataclass(frozen=True, slots=True)
class Findings:
    """Of every run."""

    figures: Mapping[str, NDArray[np.float64]]
    """Run → (n, `FIGURES`)."""
    colons: NDArray[np.int64]
    """(n,)"""
    near: Closeness
    manners: Mapping[str, Manner]

    def row(self, name: str, runs: Sequence[str], against: NDArray[np.float64] | None) -> Row:
        """Means over runs, scene by scene; `against` (n, figures) for the change."""
        mean = self.mean(runs)
        distances = [self.near.distances.get(run, {}) for run in runs]
        return Row(
            name, _intervals(mean, self.colons),
            () if against is None else _intervals(mean - against, self.colons),
            _over_seeds(distances), tuple(self._manner(each, runs) for each in MANNERS),
        )  # fmt: skip

    def mean(self, runs: Sequence[str]) -> NDArray[np.float64]:
        """(n, figures)."""
        return np.asarray(np.mean([self.figures[run] for run in runs], 0))

    def _manner(self, name: str, runs: Sequence[str]) -> Interval | None:
        found = self.manners.get(name)
        if found is None or any(run not in found.values for run in runs):
            return None
        mean = np.mean([found.values[run] for run in runs], 0)[:, None]
        return _intervals(mean, np.unique(found.groups, return_inverse=True)[1])[0]


def _verdict(trial: Trial, found: Findings) -> Verdict:
    reference = found.mean(trial.runs[trial.against])
    rows = [found.row(row, runs, reference) for row, runs in trial.runs.items()]
    if SEEN in found.near.distances:
        rows.append(Row(SEEN, (), (), found.near.distances[SEEN]))
    several = [run for runs in trial.runs.values() if len(runs) > 1 for run in runs]
    weights = f", {trial.depth_weights.name}" if trial.depth_weights else ""
    return Verdict(
        rows=tuple(rows),
        runs=tuple(found.row(run, [run], None) for run in several),
        scenes=len(found.colons),
        colons=len(set(found.colons.tolist())),
        real=found.near.counts,
        judges={"segmenter": trial.segmenter.name, "depth": trial.depth + weights},
        against=trial.against,
        left_out=trial.left_out,
        frames=[
            {"pictures": name, "colon": int(colon), **_by_figure(row)}
            for name, figures in found.figures.items()
            for colon, row in zip(found.colons, figures, strict=True)
        ],
    )


def _over_seeds(distances: Sequence[Distances]) -> Distances:
    """Means of each distance, with the widest interval: seeds do not share their pictures."""
    return {
        name: (_mean([each[name][0] for each in distances]),
               _mean([each[name][1] for each in distances]))
        for name in distances[0]
    }  # fmt: skip


def _mean(figures: Sequence[Interval]) -> Interval:
    return Interval(
        float(np.mean([each.value for each in figures])),
        min(each.low for each in figures),
        max(each.high for each in figures),
    )


def _by_figure(row: NDArray[np.float64]) -> dict[str, float | None]:
    """By figure; None for what is unknown, which JSON can say."""
    values = (None if np.isnan(value) else round(float(value), 5) for value in row)
    return dict(zip(FIGURES, values, strict=True))


def _intervals(found: NDArray[np.float64], colons: NDArray[np.int64]) -> tuple[Interval, ...]:
    """Means over pictures that have the figure, redrawn by colon."""
    groups = [found[colons == colon] for colon in np.unique(colons)]
    return tuple(bootstrap_items(groups, lambda drawn: _means(np.concatenate(drawn))))


def _means(rows: NDArray[np.float64]) -> list[float]:
    known = ~np.isnan(rows)
    total = np.where(known, rows, 0).sum(0)
    return [float(t / k) if k else float("nan") for t, k in zip(total, known.sum(0), strict=True)]
