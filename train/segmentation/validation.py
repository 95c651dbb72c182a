"""Validation views: where the threshold comes from, and what people look at."""

from __future__ import annotations

import numpy as np

from train.metrics import THRESHOLDS, overlap_counts
from train.sampling import evenly_spread
from train.segmentation.product import Segmenter
from train.segmentation.samples import Views
from train.sheets import contact_sheet
from train.validation import Validation, tile

_MOST_VIEWS = 200
_SHOWN, _COLUMNS = 12, 3
_SEED = 7


def validated(segmenter: Segmenter, views: Views) -> Validation:
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
    return Validation(np.stack(counts), np.stack(edges), contact_sheet(tiles, _COLUMNS))
