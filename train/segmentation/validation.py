"""Validation views: where the threshold comes from, and what people look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.types import Image
from train.metrics import THRESHOLDS, Counts, best_threshold, mean_iou, overlap_counts
from train.sampling import evenly_spread
from train.segmentation.product import Segmenter
from train.segmentation.samples import Views
from train.sheets import contact_sheet, save_picture
from train.validation import tile

_MOST_VIEWS = 200
_SHOWN, _COLUMNS = 12, 3
_SEED = 7


@dataclass(frozen=True)
class Validated:
    """What a segmenter finds in views that it did not learn from."""

    counts: Counts
    edge_counts: Counts
    sheet: Image

    @property
    def threshold(self) -> float:
        """The best of `THRESHOLDS` on these pictures."""
        return best_threshold(self.counts, THRESHOLDS)

    @property
    def edge_threshold(self) -> float:
        """The same of edges; one half where the pictures show none."""
        if not self.edge_counts[..., [0, 2]].any():
            return 0.5
        return best_threshold(self.edge_counts, THRESHOLDS)

    @property
    def mean_iou(self) -> float:
        """Per picture, at that threshold."""
        at = int(np.argmin(abs(THRESHOLDS - self.threshold)))
        return float(mean_iou(self.counts)[at])

    def save_sheet(self, path: Path) -> None:
        """Pictures with truth (left) and what was found (right)."""
        save_picture(path, self.sheet)


def validated(segmenter: Segmenter, views: Views) -> Validated:
    """The same pictures every time; of pairs both."""
    chosen = evenly_spread(len(views), _MOST_VIEWS)
    shown = {chosen[at] for at in evenly_spread(len(chosen), _SHOWN)}
    counts, edges, tiles = [], [], []
    for number in chosen:
        pictures = views.draw(number, np.random.default_rng([_SEED, number]))
        found = segmenter([each.image for each in pictures])
        for picture, probability in zip(pictures, found, strict=True):
            counts.append(overlap_counts(probability[0], picture.fold, picture.valid, THRESHOLDS))
            edges.append(overlap_counts(probability[1], picture.edge, picture.valid, THRESHOLDS))
            if number in shown:
                tiles.append(tile(picture.image, picture.fold, probability))
    return Validated(np.stack(counts), np.stack(edges), contact_sheet(tiles, _COLUMNS))
