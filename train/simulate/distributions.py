"""Are procedural colons shaped like real ones? Distributions of what both were measured by.

Real colons are segmented from CT: voxels of about a millimetre and smoothing lose shallow folds
and thicken thin ones, so agreement is a guide and not a goal.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import ks_2samp
from tqdm import tqdm

from engine.errors import RecipeError
from engine.types import Image
from train.charts import Axes, line_chart, marks_for
from train.reports import write_report as write_files
from train.simulate.anatomy import draw_shape, grow_colon
from train.simulate.mesh import read_tube
from train.simulate.morphometry import Morphometry, measure, quantiles
from train.simulate.tube import Floats

SCANS: dict[str, tuple[str, tuple[float, float]]] = {
    "CT-A": ("meshes_ctcolon/ct_A_mm.ply", (0.0, 0.7)),
    "CT-B": ("meshes_ctcolon/ct_B_mm.ply", (0.0, 1.0)),
    "VR-Caps": ("meshes_vrcaps/vrcaps_colon_mm_closed.ply", (0.0, 1.0)),
}
"""File below the data folder, and the share of the centreline whose folds are whole."""
PROCEDURAL = "procedural"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured quantity and how it is shown."""

    name: str
    title: str
    largest: float
    """Right end of its chart."""


QUANTITIES = (
    Quantity("spacing_mm", "Fold spacing along a sector, mm", 120.0),
    Quantity("height_mm", "Fold height, mm", 25.0),
    Quantity("width_mm", "Fold width at half height, mm", 20.0),
    Quantity("span", "Fold span at half height, share of the circumference", 1.0),
    Quantity("radius_mm", "Lumen radius, mm", 45.0),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One quantity of one source."""

    quantity: str
    source: str
    count: int
    quantiles: tuple[float, ...]
    """5, 25, 50, 75, 95 %."""
    distance: float | None
    """Kolmogorov-Smirnov, to the procedural colons; None of these themselves."""


def measure_procedural(
    colons: int, first: int = 0, anatomy: str = "stretch", workers: int | None = None
) -> Morphometry:
    """Colons `first`, `first + 1`, ... as one sample, on all cores."""
    job = partial(_measure_one, anatomy=anatomy)
    with ProcessPoolExecutor(workers) as pool:
        parts = pool.map(job, range(first, first + colons))
        return Morphometry.joined(list(tqdm(parts, total=colons, unit="colon", desc="anatomy")))


def _measure_one(seed: int, anatomy: str) -> Morphometry:
    rng = np.random.default_rng([seed, 61])
    return measure(grow_colon(rng, draw_shape(anatomy, rng)), (0.06, 0.94))


def measure_scans(data: Path) -> dict[str, Morphometry]:
    """Every one of `SCANS` that lies below `data`.

    Raises:
        RecipeError: none does, or one cannot be read.
    """
    found = {
        name: measure(read_tube(data / path), share)
        for name, (path, share) in SCANS.items()
        if (data / path).is_file()
    }
    if not found:
        raise RecipeError(
            f"{data} holds none of {', '.join(path for path, _ in SCANS.values())}.",
            "Name the folder with the meshes, or leave --real away.",
        )
    return found


def compare(samples: dict[str, Morphometry]) -> list[Row]:
    """One row for each quantity and source; `samples` holds `PROCEDURAL` and others."""
    rows = []
    for quantity in QUANTITIES:
        drawn = _sample(samples[PROCEDURAL], quantity)
        for source, measured in samples.items():
            values = _sample(measured, quantity)
            distance = None if source == PROCEDURAL else float(ks_2samp(values, drawn).statistic)
            rounded = tuple(round(float(each), 3) for each in quantiles(values))
            rows.append(Row(quantity.name, source, len(values), rounded, distance))
    return rows


def _sample(measured: Morphometry, quantity: Quantity) -> Floats:
    return np.asarray(getattr(measured, quantity.name), np.float64)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| quantity | source | n | 5 % | 25 % | 50 % | 75 % | 95 % | distance |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        digits = 2 if row.quantity == "span" else 1
        shown = " | ".join(f"{value:.{digits}f}" for value in row.quantiles)
        distance = "" if row.distance is None else f"{row.distance:.2f}"
        lines.append(f"| {row.quantity} | {row.source} | {row.count} | {shown} | {distance} |")
    return "\n".join(lines)


def charts(samples: dict[str, Morphometry]) -> Image:
    """Cumulative distributions: (H, W, 3) RGB, two charts beside each other."""
    drawn = [_chart(quantity, samples) for quantity in QUANTITIES]
    drawn += [np.full_like(drawn[0], 255)] * (len(drawn) % 2)
    return np.concatenate(
        [np.concatenate(drawn[i : i + 2], axis=1) for i in range(0, len(drawn), 2)]
    )


def _chart(quantity: Quantity, samples: dict[str, Morphometry]) -> Image:
    axes = Axes(
        quantity.title, "share of what was measured that is smaller", (0.0, quantity.largest),
        (0.0, 1.0), marks_for(0, quantity.largest, 6), marks_for(0, 1),
    )  # fmt: skip
    places = np.linspace(0, quantity.largest, 240)
    curves = {}
    for source, measured in samples.items():
        values = np.sort(_sample(measured, quantity))
        below = np.searchsorted(values, places, side="right") / max(1, len(values))
        curves[source] = (places, below)
    return line_chart(axes, curves)


def write_report(samples: dict[str, Morphometry], folder: Path) -> str:
    """Write anatomy.md, anatomy.json and anatomy.png; returns the table.

    Raises:
        RecordingError: the folder cannot be written.
    """
    rows = compare(samples)
    text = table(rows)
    figures = [asdict(row) for row in rows]
    write_files(folder, "anatomy", text, figures, {"anatomy.png": charts(samples)})
    return text
