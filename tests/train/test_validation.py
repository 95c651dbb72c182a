"""Thresholds that validation pictures choose."""

from __future__ import annotations

import numpy as np

from train.metrics import THRESHOLDS
from train.validation import Validation


def validation(edge: int) -> Validation:
    """One picture of which ten pixels are found up to 0.5, five above; `edge` ones of an edge."""
    found = np.where(THRESHOLDS <= 0.5, 10, 5)
    region = np.stack([found, np.zeros_like(found), 10 - found], 1)[None]
    edges = np.stack([np.full_like(found, edge), np.full_like(found, 4), 0 * found], 1)[None]
    return Validation(region, edges, np.zeros((4, 4, 3), np.uint8))


def test_the_highest_of_the_best_thresholds_is_taken() -> None:
    assert (validation(1).threshold, validation(1).mean_iou) == (0.5, 1.0)
    assert validation(1).edge_threshold == 0.95


def test_pictures_without_an_edge_choose_no_threshold_for_edges() -> None:
    assert validation(0).edge_threshold == 0.5
