"""How well folds are told apart in simulated pictures, and what it costs.

    haustra-train simulate RECIPE -o SET
    python -m benchmarks.instances SET [--split test] [--half second] [--tool]

Every picture is shaded rich and goes the product's own way: field of view, bundled network,
instances. What each cue brings is told by leaving it out, and by the last way less the one before
on the same colons.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

import resources
from engine.analyser import following_options
from engine.backends import open_backend
from engine.bundle import ModelBundle
from engine.instances import InstanceOptions, split_instances
from engine.segmenter import Segmenter
from engine.types import FoldMask, Frame, Labels, Mask, read_only
from train.instance_metrics import (
    Compared,
    average_precision_at,
    compare_folds,
    count_fragmented,
    mean_average_precision,
    paint_found,
    panoptic_quality,
)
from train.metrics import bootstrap_items
from train.simulate.appearance import draw_look
from train.simulate.covers import Tool
from train.simulate.dataset import SimulatedSet
from train.simulate.looks.mucosa import MucosaLook

_SEED = 1
_RESAMPLES = 300
_Colon = tuple[list[Compared], tuple[int, int]]
HALVES = {"all": slice(None), "first": slice(0, None, 2), "second": slice(1, None, 2)}
"""Every second colon: to choose on one half and to report on the other."""


@dataclass(frozen=True, slots=True)
class Example:
    """A mask and what is true in it."""

    mask: FoldMask
    truth: Labels
    """(H, W) fold numbers, 0 for none."""
    is_ignored: Mask
    """(H, W) covered, or fold without a name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which pictures of a colon."""

    every: int
    with_tool: bool
    """Each has a tool in it, and nothing else before the lens."""


@dataclass(slots=True)
class Row:
    """One way to separate folds, by colon."""

    colons: list[list[Compared]] = field(default_factory=list)
    broken: list[tuple[int, int]] = field(default_factory=list)
    """True folds in pieces, and true folds, by colon."""
    spent_s: float = 0.0
    frames: int = 0

    def add(self, examples: Sequence[Example], options: InstanceOptions) -> None:
        """Separate the folds of a colon's pictures."""
        self.colons.append([])
        counts = [(0, 0)]
        for each in examples:
            started_s = time.process_time()
            folds = split_instances(each.mask, options)
            self.spent_s += time.process_time() - started_s
            self.colons[-1].append(compare_folds(folds, each.truth, each.is_ignored))
            found = paint_found(folds, (each.truth.shape[0], each.truth.shape[1]), each.is_ignored)
            counts.append(count_fragmented(found, each.truth))
        self.broken.append((sum(count[0] for count in counts), sum(count[1] for count in counts)))
        self.frames += len(examples)

    def cells(self) -> list[str]:
        """AP50, AP50:95, PQ and share in pieces, by colon; folds found; ms a frame."""
        measured = bootstrap_items(self.items, _figures, resamples=_RESAMPLES)
        found = sum(each.iou.shape[1] for colon in self.colons for each in colon)
        return [*map(str, measured), str(found), f"{1e3 * self.spent_s / self.frames:.2f}"]

    @property
    def items(self) -> list[_Colon]:
        """What was measured of each colon."""
        return list(zip(self.colons, self.broken, strict=True))

    def gain_over(self, other: Row) -> list[str]:
        """The same figures less another's, with intervals over colons that both had."""
        both = list(zip(self.items, other.items, strict=True))

        def difference(drawn: Sequence[tuple[_Colon, _Colon]]) -> list[float]:
            mine, its = _figures([a for a, _ in drawn]), _figures([b for _, b in drawn])
            return [one - another for one, another in zip(mine, its, strict=True)]

        return [str(each) for each in bootstrap_items(both, difference, resamples=_RESAMPLES)]


def _figures(colons: Sequence[_Colon]) -> list[float]:
    frames = [each for compared, _ in colons for each in compared]
    broken = np.sum([counted for _, counted in colons], axis=0)
    return [
        average_precision_at(frames, 0.5),
        mean_average_precision(frames),
        panoptic_quality(frames).value,
        float(broken[0] / broken[1]) if broken[1] else float("nan"),
    ]


def ways(bundle: ModelBundle) -> Mapping[str, InstanceOptions]:
    """What is compared; the second is how folds were divided before bends counted."""
    joined = following_options(bundle)[0]
    options = replace(joined, joining=None)
    before = replace(options, smallest_core=40, neck=0.4, narrowest_neck=3.2, bend=0.0)
    return {
        "nothing: connected regions": replace(options, edge_threshold=2.0, neck=0.0),
        "sure edges, narrow necks": replace(before, edge_threshold=bundle.edge_threshold),
        "edges and necks": replace(options, bend=0.0),
        "edges, necks and bends": options,
        "these, and pieces joined": joined,
    }


def examples(data: SimulatedSet, colon: str, segmenter: Segmenter, chosen: Chosen) -> list[Example]:
    """Pictures of one colon with what the network says of them."""
    seen = []
    for number in range(0, len(data.sequence(colon)), chosen.every):
        frame = data.frame(colon, number)
        rng = np.random.default_rng([_SEED, number])
        look = draw_look("rich", rng)
        if chosen.with_tool and isinstance(look, MucosaLook):
            look = replace(look, covers=(Tool.draw(np.random.default_rng([_SEED + 1, number])),))
        picture = look.render(frame, rng)
        truth = np.where(picture.fold, frame.instances, 0).astype(np.int32)
        segmenter.reset()
        mask = segmenter(Frame(number, 0.0, 0.0, read_only(picture.image)))
        seen.append(Example(mask, truth, ~picture.valid | (picture.fold & (truth == 0))))
    return seen


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How well folds are told apart.")
    parser.add_argument("set", type=Path)
    parser.add_argument("--split", default="test", help="of the set; test unless told")
    parser.add_argument("--half", choices=HALVES, default="all", help="of the colons")
    parser.add_argument("--every", type=int, default=1, help="picture of a colon")
    parser.add_argument("--tool", action="store_true", help="in each picture")
    arguments = parser.parse_args()
    chosen = Chosen(max(1, arguments.every), arguments.tool)
    cv2.setNumThreads(1)
    data = SimulatedSet(arguments.set)
    colons = data.splits[arguments.split]
    bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    compared = ways(bundle)
    rows = {name: Row() for name in compared}
    truths = 0
    backend = open_backend(bundle, threads=1)
    try:
        for colon in tqdm(colons[HALVES[arguments.half]], unit="colon"):
            seen = examples(data, colon, Segmenter(backend, bundle.input.size), chosen)
            for name, options in compared.items():
                rows[name].add(seen, options)
            truths += sum(len(each.iou) for each in rows[name].colons[-1])
    finally:
        backend.close()
    print(f"{len(rows[name].colons)} colons, {rows[name].frames} frames, {truths} true folds\n")
    print("| divided by | AP50 | AP50:95 | PQ | in pieces | found | ms |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {' | '.join(row.cells())} |")
    *_, before, last = rows.values()
    print(f"| last less the one before | {' | '.join(last.gain_over(before))} | | |")


if __name__ == "__main__":
    main()
