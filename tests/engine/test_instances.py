"""Folds on hand-drawn grids."""

import numpy as np
import pytest

from engine.instances import InstanceOptions, label_folds, smooth_outline, split_instances
from engine.preprocess import Placement
from engine.types import FoldMask, Frame

OPTIONS = InstanceOptions(smallest=20, smallest_core=20)


def grid() -> np.ndarray:
    return np.zeros((64, 64), np.float32)


def mask_of(region: np.ndarray, edge: np.ndarray | None = None) -> FoldMask:
    frame = Frame(0, 0.0, 0.0, np.zeros((128, 128, 3), np.uint8))
    placement = Placement.fit((0, 0, 128, 128), 64)
    return FoldMask(frame, region, grid() if edge is None else edge, placement)


def count(labels: np.ndarray) -> int:
    return len(np.unique(labels[labels > 0]))


def test_two_separate_folds_are_two() -> None:
    region = grid()
    region[5:12, 5:60] = 0.9
    region[30:38, 5:60] = 0.8
    assert count(label_folds(region, grid(), OPTIONS)) == 2


def test_folds_that_touch_across_an_edge_are_two_and_cover_everything() -> None:
    region, edge = grid(), grid()
    region[10:30, 5:60] = 0.9
    edge[19:22, 5:60] = 0.9
    labels = label_folds(region, edge, OPTIONS)
    assert count(labels) == 2
    assert (labels[10:30, 5:60] > 0).all()
    assert labels[12, 30] != labels[28, 30]


def test_an_edge_along_the_rim_splits_nothing() -> None:
    region, edge = grid(), grid()
    region[10:30, 5:60] = 0.9
    edge[28:31, 5:60] = 0.9
    assert count(label_folds(region, edge, OPTIONS)) == 1


def test_a_thin_fold_that_is_all_edge_is_one() -> None:
    region, edge = grid(), grid()
    region[10:14, 5:60] = 0.9
    edge[10:14, 5:60] = 0.9
    assert count(label_folds(region, edge, OPTIONS)) == 1


def test_specks_are_dropped() -> None:
    region = grid()
    region[10:14, 10:14] = 0.9
    assert split_instances(mask_of(region), OPTIONS) == ()


def test_a_fold_is_measured_in_frame_pixels() -> None:
    region = grid()
    region[10:20, 20:40] = 0.75
    (fold,) = split_instances(mask_of(region), OPTIONS)
    assert fold.area_px == pytest.approx(10 * 20 * 4)
    assert fold.score == pytest.approx(0.75)
    assert fold.contour.mean(axis=0) == pytest.approx([59.5, 29.5], abs=1.5)


def test_a_ring_keeps_its_hole() -> None:
    region = grid()
    region[10:50, 10:50] = 0.9
    region[20:40, 20:40] = 0.0
    (fold,) = split_instances(mask_of(region), OPTIONS)
    assert len(fold.holes) == 1
    assert fold.holes[0][:, 0].min() > fold.contour[:, 0].min() + 10


def test_folds_are_numbered_from_one_by_size() -> None:
    region = grid()
    region[5:10, 5:20] = 0.9
    region[30:50, 5:60] = 0.9
    folds = split_instances(mask_of(region), OPTIONS)
    assert [fold.label for fold in folds] == [1, 2]
    assert folds[0].area_px > folds[1].area_px


def test_smoothing_keeps_the_middle_of_an_outline() -> None:
    square = np.array([[x, y] for x, y in zip([0, 4, 8, 8, 8, 4, 0, 0], [0, 0, 0, 4, 8, 8, 8, 4],
                                              strict=True)])  # fmt: skip
    assert smooth_outline(square).mean(axis=0) == pytest.approx([4, 4], abs=0.5)
