"""One table over several translators on the same scenes: what they keep, and how real they look.

Structure: `train.translation.judges`. Realism: KID and FID in the pooled features of
EfficientNet-Lite0 (ImageNet), which is there offline; figures in Inception features are on another
scale. Real frames are such as no translator has seen; a row of those that it may have seen
says how near zero real pictures come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.bundle import ModelBundle
from engine.errors import RecipeError
from engine.types import Image
from train.depth import open_estimator
from train.evaluate import label_of
from train.metrics import Interval, bootstrap_items
from train.reports import write_report
from train.simulate.dataset import SimulatedSet
from train.translation.closeness import NOTHING, SEEN, Closeness, Distances, closeness
from train.translation.contact import write_sheets
from train.translation.judges import BUNDLED, FIGURES, Judges, Scene, scenes
from train.translation.painter import Painter

UNTRANSLATED = "simulated"
_FEWEST_SCENES = 4
_PAINTED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Trial:
    """What is judged, by whom, on what. The same trial gives the same figures."""

    simulated: Path
    translators: Sequence[Path]
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


@dataclass(frozen=True, slots=True)
class Row:
    """One translator."""

    name: str
    structure: tuple[Interval, ...]
    """`FIGURES`; none for real pictures."""
    change: tuple[Interval, ...]
    """Of the same scenes, less those of the row `against`."""
    realism: Distances


@dataclass(frozen=True, slots=True)
class Verdict:
    """All figures."""

    rows: tuple[Row, ...]
    scenes: int
    colons: int
    real: Mapping[str, int]
    """Pictures of each real set."""
    judges: Mapping[str, str]
    against: str
    frames: Sequence[Mapping[str, Any]] = field(default=())
    """The figures of every picture."""

    def table(self) -> str:
        """Markdown."""
        told = [
            f"{self.scenes} scenes of {self.colons} colons. Segmenter: {self.judges['segmenter']}.",
            f"Depth network: {self.judges['depth']}. Intervals: 95 %, bootstrap over colons or",
            "patients. KID and FID in EfficientNet-Lite0 features, to "
            + (", ".join(f"{name} ({count})" for name, count in self.real.items()) or "nothing")
            + ".",
        ]
        titles = [*FIGURES, *(f"{kind}, {name}" for name in self.real for kind in ("KID", "FID"))]
        compared = [row for row in self.rows if row.change and row.name != self.against]
        return "\n".join([
            *told, "", *_header(["pictures", *titles]),
            *(f"| {row.name} | {' | '.join(_cells(row, self.real))} |" for row in self.rows),
            "", f"The same scenes, less {self.against}:", "", *_header(["pictures", *FIGURES]),
            *(f"| {row.name} | {' | '.join(map(_signed, row.change))} |" for row in compared),
        ])  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """For JSON, table included."""
        return asdict(self) | {"table": self.table()}

    def write(self, folder: Path) -> None:
        """translation.json and translation.md.

        Raises:
            RecordingError: the folder cannot be written.
        """
        write_report(folder, "translation", self.table(), self.as_dict())


def _header(titles: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]


def _cells(row: Row, real: Mapping[str, int]) -> list[str]:
    structure = [str(figure) for figure in row.structure] or ["–"] * len(FIGURES)
    realism = [
        f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}]" if row.realism else "–"
        for name in real
        for figure in row.realism.get(name, ())
    ]
    return structure + (realism or ["–"] * 2 * len(real))


def _signed(figure: Interval) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def evaluate_translators(trial: Trial) -> Verdict:
    """Judge, and write the table and the contact sheets.

    Raises:
        RecipeError: no set, no translator, translators that learned from different pictures, a
            segmenter or depth network that is none, or too few scenes.
        RecordingError: the folder cannot be written.
    """
    if trial.frames < _FEWEST_SCENES:
        raise RecipeError(
            f"{trial.frames} frames are too few to compare.", f"Take at least {_FEWEST_SCENES}."
        )
    painters = {_name(folder): Painter.open(folder) for folder in trial.translators}
    style = _one_style(trial, painters)
    bundle = ModelBundle.open(trial.segmenter)
    data = SimulatedSet(trial.simulated, label_of(bundle))
    shown = scenes(data, trial.split, style, count=trial.frames, seed=trial.seed)
    colons = np.unique(np.array([scene.sequence for scene in shown]), return_inverse=True)[1]
    if len(set(colons.tolist())) < 2:
        raise RecipeError(
            f"{trial.simulated} has fewer than two {trial.split} colons.", "Simulate a larger set."
        )
    pictures = _pictures(painters, shown, trial.against)
    judges = Judges(bundle, open_estimator(trial.depth, trial.depth_weights))
    figures = _judged(judges, pictures, shown)
    near = NOTHING
    if trial.real is not None:
        near = closeness(pictures, colons, trial.real, trial.seed)
    verdict = _verdict(trial, figures, colons, near)
    verdict.write(trial.out)
    write_sheets(trial.out, pictures, near.unseen, near.neighbours.get(list(painters)[-1]))
    return verdict


def _name(folder: Path) -> str:
    """Of a product: the run's folder, where it lies in one."""
    folder = folder.resolve()
    return folder.parent.name if folder.name == "translator" else folder.name


def _one_style(trial: Trial, painters: Mapping[str, Painter]) -> str:
    """What all translators learned from."""
    if len(painters) < len(trial.translators):
        raise RecipeError("Two translators have one name.", "Rename the folder of one.")
    styles = {painter.about.style for painter in painters.values()}
    if len(styles) != 1:
        raise RecipeError(
            f"The translators learned from different pictures: {', '.join(sorted(styles))}.",
            "Evaluate those together that learned from one style.",
        )
    return styles.pop()


def _pictures(
    painters: Mapping[str, Painter], shown: Sequence[Scene], against: str
) -> dict[str, Image]:
    """Row → (n, H, W, 3)."""
    names = [UNTRANSLATED, *painters]
    if against not in names:
        raise RecipeError(f"There is no row {against!r}.", f"Choose one of: {', '.join(names)}.")
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
    """Row → (n, figures)."""
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


def _verdict(
    trial: Trial,
    figures: Mapping[str, NDArray[np.float64]],
    colons: NDArray[np.int64],
    near: Closeness,
) -> Verdict:
    reference = figures[trial.against]
    rows = [
        Row(
            name, _intervals(found, colons), _intervals(found - reference, colons),
            near.distances.get(name, {}),
        )
        for name, found in figures.items()
    ]  # fmt: skip
    if SEEN in near.distances:
        rows.append(Row(SEEN, (), (), near.distances[SEEN]))
    weights = f", {trial.depth_weights.name}" if trial.depth_weights else ""
    return Verdict(
        rows=tuple(rows),
        scenes=len(colons),
        colons=len(set(colons.tolist())),
        real=near.counts,
        judges={"segmenter": trial.segmenter.name, "depth": trial.depth + weights},
        against=trial.against,
        frames=[
            {"pictures": name, "colon": int(colon), **_named(row)}
            for name, found in figures.items()
            for colon, row in zip(colons, found, strict=True)
        ],
    )


def _named(row: NDArray[np.float64]) -> dict[str, float | None]:
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
