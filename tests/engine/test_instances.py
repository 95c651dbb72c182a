"""Folds on hand-drawn grids."""

import cv2
import numpy as np
import pytest

from engine.instances import (
    InstanceOptions,
    divide_touching,
    grow_within,
    label_folds,
    smooth_outlines,
    split_instances,
    straightness,
    trace_outlines,
)
from engine.preprocess import Placement
from engine.types import FoldMask, Frame

OPTIONS = InstanceOptions(smallest=20, smallest_core=20, joining=None)


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


def test_a_region_is_background_if_it_has_one_cell_too_few() -> None:
    region = grid()
    region[10:14, 10:15] = region[30:34, 10:15] = 0.9
    region[30, 15] = 0.9
    labels = label_folds(region, grid(), InstanceOptions(smallest=21, smallest_core=20))
    assert not labels.any()
    region[30:34, 15] = 0.9
    assert count(label_folds(region, grid(), InstanceOptions(smallest=21, smallest_core=20))) == 1


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


def two_lobes(neck: int) -> np.ndarray:
    """Two bars of 12 x 26 cells end to end, joined by a band 4 long and `neck` wide."""
    region = grid()
    region[20:32, 4:30] = region[20:32, 34:60] = 0.9
    region[26 - neck // 2 : 26 - neck // 2 + neck, 30:34] = 0.9
    return region


@pytest.mark.parametrize(("neck", "folds"), [(3, 2), (4, 2), (8, 1), (12, 1)])
def test_folds_joined_by_a_neck_are_two_if_it_is_narrow(neck: int, folds: int) -> None:
    assert count(label_folds(two_lobes(neck), grid(), OPTIONS)) == folds


def ring(corners: int) -> np.ndarray:
    """A band 12 cells wide around a lumen of that many sides, in a wall that is surely none."""
    angles = np.arange(corners) * 2 * np.pi / corners
    outline = 128 + 80 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    region = np.full((256, 256), 0.02, np.float32)
    return cv2.polylines(region, [outline.round().astype(np.int32)], True, 0.9, 12)


@pytest.mark.parametrize("corners", [3, 4])
def test_a_ring_with_corners_is_as_many_folds_as_sides(corners: int) -> None:
    region = ring(corners)
    labels = label_folds(region, np.zeros_like(region), InstanceOptions())
    sizes = np.bincount(labels[labels > 0])[1:]
    assert len(sizes) == corners
    assert sizes.max() < 1.2 * sizes.min()


def test_a_round_ring_is_one_fold() -> None:
    region = ring(60)
    assert count(label_folds(region, np.zeros_like(region), InstanceOptions())) == 1


def test_a_fold_that_leaves_the_field_of_view_is_one_to_its_end() -> None:
    region = np.full((256, 256), 0.02, np.float32)
    region[:, 100:130] = 0.9
    region[(np.hypot(*np.mgrid[-128:128, -128:128]) > 110)] = 0.0
    assert count(label_folds(region, np.zeros_like(region), InstanceOptions())) == 1


def test_a_straight_bar_is_straight_and_a_corner_is_not() -> None:
    region = np.full((128, 128), 0.02, np.float32)
    region[60:70, 20:] = region[60:, 20:30] = 0.9
    straight = straightness(region, np.zeros_like(region), 8.0)
    assert straight.shape == (64, 64)
    assert straight[32, 50] > 0.95
    assert straight[32, 12] < 0.5


def test_what_is_flat_is_straight() -> None:
    assert straightness(grid() + 0.5, grid(), 8.0) == pytest.approx(1.0)


def test_a_gap_in_the_edge_between_two_folds_does_not_join_them() -> None:
    region, edge = grid(), grid()
    region[6:50, 5:60] = 0.9
    edge[27:30, 5:60] = 0.9
    edge[27:30, 30:35] = 0.0
    labels = label_folds(region, edge, OPTIONS)
    assert labels[8, 30] != labels[48, 30]


@pytest.mark.parametrize("width", [4, 6, 9])
def test_a_fold_of_changing_width_is_one(width: int) -> None:
    region = np.full((100, 200), 0.02, np.float32)
    for x in range(10, 190):
        radius = round(width * (1 + 0.25 * np.sin(x / 9)))
        cv2.circle(region, (x, round(50 + 20 * np.sin(x / 40))), radius, 0.9, -1)
    assert count(label_folds(region, np.zeros_like(region), OPTIONS)) == 1


def test_a_ragged_edge_map_divides_nothing_into_crumbs() -> None:
    region, edge = grid(), grid()
    region[10:50, 5:60] = 0.9
    edge[10:50, 5:60] = np.random.default_rng(0).choice([0.0, 0.9], (40, 55), p=[0.8, 0.2])
    assert count(label_folds(region, edge, OPTIONS)) == 1


def test_the_parts_of_a_divided_region_are_numbered_from_one() -> None:
    member = two_lobes(4) > 0
    regions = member.astype(np.uint16)
    labels = divide_touching(regions, member, np.ones((32, 32), np.float32), OPTIONS)
    assert set(np.unique(labels)) == {0, 1, 2}


@pytest.mark.parametrize("corner", [0, 1])
def test_where_a_region_lies_does_not_change_how_it_is_divided(corner: int) -> None:
    region, edge = grid(), grid()
    region[corner : corner + 21, corner : corner + 33] = 0.9
    edge[corner + 9 : corner + 12, corner : corner + 33] = 0.9
    labels = label_folds(region, edge, OPTIONS)
    assert count(labels) == 2
    assert ((labels > 0) == (region > 0)).all()
    upper, lower = labels[corner, corner], labels[corner + 20, corner]
    assert (labels == upper).sum() == pytest.approx((labels == lower).sum(), abs=2 * 33)


def test_a_number_goes_round_the_corner_and_never_across_a_gap() -> None:
    member = np.zeros((9, 9), np.bool_)
    member[1, 1:8] = member[1:8, 7] = member[7, 1:8] = True
    member[4, 1:5] = True
    labels = np.zeros((9, 9), np.uint16)
    labels[1, 1], labels[4, 1] = 1, 2
    grown = grow_within(member, labels)
    assert (grown[7, 1:8] == 1).all()
    assert (grown[4, 1:5] == 2).all()
    assert not grown[~member].any()


def test_cells_that_no_number_reaches_stay_without_one() -> None:
    member = np.zeros((5, 9), np.bool_)
    member[2, :3] = member[2, 6:] = True
    labels = np.zeros((5, 9), np.uint16)
    labels[2, 0] = 7
    assert grow_within(member, labels)[2].tolist() == [7, 7, 7, 0, 0, 0, 0, 0, 0]


def test_labels_of_several_divided_regions_do_not_meet() -> None:
    region, edge = np.zeros((128, 64), np.float32), np.zeros((128, 64), np.float32)
    for top in (10, 70):
        region[top : top + 40, 5:60] = 0.9
        edge[top + 19 : top + 22, 5:60] = 0.9
    assert set(np.unique(label_folds(region, edge, OPTIONS))) == {0, 1, 2, 3, 4}


def test_an_empty_mask_has_no_folds() -> None:
    assert split_instances(mask_of(grid()), OPTIONS) == ()


@pytest.mark.parametrize("height", [3, 6, 12])
def test_an_outline_encloses_the_area_of_its_cells(height: int) -> None:
    member = np.zeros((64, 64), np.bool_)
    member[20 : 20 + height, 5:60] = True
    (outline,) = trace_outlines(member)
    assert cv2.contourArea(outline) == pytest.approx(height * 55, rel=0.05)


def test_the_outline_of_a_hole_encloses_the_hole() -> None:
    member = np.ones((40, 40), np.bool_)
    member[10:30, 10:30] = False
    _, hole = trace_outlines(member)
    assert cv2.contourArea(hole) == pytest.approx(20 * 20, rel=0.05)


def test_outlines_are_smoothed_together_as_each_alone() -> None:
    def rim(radius: int) -> np.ndarray:
        cells = cv2.circle(np.zeros((64, 64), np.uint8), (32, 32), radius, 1, cv2.FILLED)
        return cv2.findContours(cells, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0][:, 0]

    rims = [rim(20), rim(0), rim(1), rim(9)]
    for together, each in zip(smooth_outlines(rims), rims, strict=True):
        (alone,) = smooth_outlines([each])
        assert together == pytest.approx(alone, abs=1e-4)
    assert np.hypot(*(smooth_outlines(rims)[0] - 32).T) == pytest.approx(20, abs=0.4)
    assert smooth_outlines([rim(0)])[0].tolist() == [[32, 32]]


def test_outlines_are_read_only() -> None:
    (fold,) = split_instances(mask_of(two_lobes(20)), OPTIONS)
    assert not fold.contour.flags.writeable
