"""How real simulated pictures look before any translation, measured and shown.

Two draws of real frames that share no patient say how far apart real pictures are from each other;
other data sets say what another endoscope costs. Only against these anchors does a distance of the
simulated pictures mean anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import RecipeError, SourceNotFoundError
from engine.types import Image
from train.charts import Axes, line_chart, marks_for, stacked
from train.comparison import Comparison, Looks, Measured
from train.pictures import (
    FEWEST_BLOCKS,
    YARDSTICKS,
    DeepFeatures,
    PictureSet,
    block_of,
    disjoint_halves,
    draw_frames,
    real_pictures,
    simulated_pictures,
    yardstick_frames,
)
from train.real import RealFrame, views
from train.reports import write_report
from train.sheets import contact_sheet
from train.simulate.appearance import STYLES, check_style
from train.simulate.dataset import SimulatedSet

FEWEST_FRAMES = 8

_SHEET_COLUMNS, _SHEET_ROWS = 6, 4
_REFERENCE, _CONTROL = "real", "real, other patients"
_CHANNELS = {"L*": (0.0, 100.0), "a*": (-20.0, 70.0), "b*": (-30.0, 70.0)}
"""And the range that is charted."""


@dataclass(frozen=True, slots=True)
class RealismOptions:
    """What to compare, and where the answer goes. The same options give the same figures."""

    simulated: Path
    real: Path
    out: Path
    frames: int = 300
    """Of each set."""
    styles: Sequence[str] = ("plain", "rich")
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Realism:
    """All figures."""

    looks: tuple[Looks, ...]
    comparisons: tuple[Comparison, ...]
    seed: int

    def table(self) -> str:
        """Markdown."""
        return "\n".join(
            [
                "Colour: earth mover's distance in CIELAB units (joint: sliced). Slope of the log",
                "power spectrum of luminance, first less second, 0.025 to 0.375 cycles per pixel",
                "(coarse below, fine above 0.1). KID in pooled EfficientNet-Lite0 features: all",
                "pictures, then mean ± deviation of subsets; on another scale than in Inception",
                "features, so the rows of real pictures are its measure. Intervals: 95 %,",
                "bootstrap over colons or patients.",
                "",
                "| pictures | against | L* | a* | b* | joint | slope | coarse | fine "
                "| KID, whole | KID, centre |",
                "|---|---|---|---|---|---|---|---|---|---|---|",
                *(comparison.row() for comparison in self.comparisons),
                "",
                "Mean ± deviation of pixels (deviation of the pictures' means); highlights L* > 95",
                "and dark L* < 10 in % of pixels.",
                "",
                "| pictures | frames | L* | a* | b* | highlights | dark | slope | coarse | fine |",
                "|---|---|---|---|---|---|---|---|---|---|",
                *(looks.row() for looks in self.looks),
            ]
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON, table included."""
        return asdict(self) | {"table": self.table()}


def measure_realism(options: RealismOptions) -> Realism:
    """Compare, and write realism.json, realism.md, charts and contact sheets.

    Raises:
        RecipeError: too few frames, an unknown style, or no simulated set.
        SourceNotFoundError: no real frames.
        RecordingError: the folder cannot be written.
    """
    _check(options)
    data = SimulatedSet(options.simulated)
    drawn = _real_frames(options)
    features = DeepFeatures()
    simulated = {}
    for style in options.styles:
        pictures = simulated_pictures(data, style, options.frames, options.seed)
        simulated[style] = Measured.of(pictures, features)
    size = next(iter(simulated.values())).pictures.size
    real = {
        name: Measured.of(real_pictures(name, frames, size), features)
        for name, frames in drawn.items()
    }
    found = _compared(simulated, real, options.seed)
    _write(options.out, found, simulated, real)
    return found


def _compared(
    simulated: Mapping[str, Measured], real: Mapping[str, Measured], seed: int
) -> Realism:
    """Every style against the real frames, then the anchors."""
    reference = real[_REFERENCE]
    pairs = [(each, reference) for each in simulated.values()]
    pairs.append((real[_CONTROL], reference))
    if {"PolypGen", "Kvasir-SEG"} <= real.keys():
        pairs.append((real["PolypGen"], real["Kvasir-SEG"]))
    pairs += [(real[name], reference) for name in YARDSTICKS if name in real]
    return Realism(
        looks=tuple(each.looks() for each in (*simulated.values(), *real.values())),
        comparisons=tuple(first.against(second) for first, second in pairs),
        seed=seed,
    )


def _check(options: RealismOptions) -> None:
    for style in options.styles:
        check_style(style)
    if not options.styles:
        raise RecipeError("No style is named.", f"Choose of: {', '.join(STYLES)}.")
    if options.frames < FEWEST_FRAMES:
        raise RecipeError(
            f"{options.frames} frames are too few to compare.", f"Take at least {FEWEST_FRAMES}."
        )


def _real_frames(options: RealismOptions) -> dict[str, list[RealFrame]]:
    """The reference, its control, and the data sets by themselves.

    Raises:
        SourceNotFoundError: too few real frames to halve.
    """
    rng = np.random.default_rng(options.seed)
    frames = views(options.real)
    if len({block_of(frame.path) for frame in frames}) < 2 * FEWEST_BLOCKS:
        raise SourceNotFoundError(
            f"{options.real} holds too few real frames (PolypGen, Kvasir-SEG) to compare with.",
            "Name the folder that holds polypgen/images and kvasir_seg/images.",
        )
    halves = disjoint_halves(frames, rng)
    drawn = {_REFERENCE: halves[0], _CONTROL: halves[1]}
    for name, folder in {"PolypGen": "polypgen", "Kvasir-SEG": "kvasir_seg"}.items():
        drawn[name] = [frame for frame in frames if frame.path.parts[-3] == folder]
    for name, folder in YARDSTICKS.items():
        drawn[name] = yardstick_frames(options.real, folder)
    kept = {name: draw_frames(found, options.frames, rng) for name, found in drawn.items()}
    return {
        name: found
        for name, found in kept.items()
        if name in (_REFERENCE, _CONTROL)
        or len({block_of(frame.path) for frame in found}) >= FEWEST_BLOCKS
    }


def _write(
    folder: Path,
    found: Realism,
    simulated: Mapping[str, Measured],
    real: Mapping[str, Measured],
) -> None:
    """All files; what shows real frames says in its name that it stays out of any repository."""
    shown = {**{each.pictures.name: each for each in simulated.values()}, **real}
    pictures = {
        "spectra.png": spectra_chart(shown),
        "colours.png": colour_charts(shown),
    }
    ours = real[_REFERENCE].pictures
    for style, each in simulated.items():
        pictures[f"simulated-{style}.png"] = sheet(each.pictures)
        pictures[f"DO-NOT-COMMIT-{style}-beside-real.png"] = sheet(each.pictures, ours)
    write_report(folder, "realism", found.table(), found.as_dict(), pictures)


def sheet(pictures: PictureSet, beside: PictureSet | None = None) -> Image:
    """A grid of pictures spread over the set; with `beside`, columns of both by turns."""
    sets = [pictures] if beside is None else [pictures, beside]
    count = _SHEET_COLUMNS * _SHEET_ROWS // len(sets)
    tiles = [each.images[number * len(each) // count] for number in range(count) for each in sets]
    return contact_sheet(tiles, _SHEET_COLUMNS)


def spectra_chart(shown: Mapping[str, Measured]) -> Image:
    """Mean log power of luminance over log frequency."""
    curves = {}
    for name, each in shown.items():
        rings = each.log_power.shape[1]
        frequency = np.log10(np.arange(1, rings + 1) / (2 * rings))
        curves[name] = (frequency, each.log_power.mean(0))
    levels = np.concatenate([y for _, y in curves.values()])
    y = (float(levels.min()) - 0.1, float(levels.max()) + 0.1)
    x = (float(frequency[0]), float(frequency[-1]))
    ticks = [(float(np.log10(f)), str(f)) for f in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)]
    axes = Axes(
        "log10 power of luminance, centred window", "cycles per pixel", x, y,
        [tick for tick in ticks if x[0] <= tick[0] <= x[1]], marks_for(*y),
    )  # fmt: skip
    return line_chart(axes, curves)


def colour_charts(shown: Mapping[str, Measured]) -> Image:
    """Histograms of L*, a* and b* below each other."""
    charts = []
    for channel, (name, limits) in enumerate(_CHANNELS.items()):
        edges = np.linspace(*limits, 51)
        middles = (edges[1:] + edges[:-1]) / 2
        curves = {}
        for each_name, each in shown.items():
            counts = np.histogram(each.lab[..., channel], edges)[0]
            curves[each_name] = (middles, 100 * counts / each.lab[..., channel].size)
        top = max(float(y.max()) for _, y in curves.values())
        axes = Axes(
            f"% of pixels in a fiftieth of the range of {name}", name, limits, (0.0, top),
            marks_for(*limits), marks_for(0.0, top),
        )  # fmt: skip
        charts.append(line_chart(axes, curves))
    return stacked(charts)
