"""Each measure by numbers that can be counted on the picture."""

import numpy as np
import pytest

from train.structure import (
    boundary,
    boundary_f,
    edge_agreement,
    gradient,
    inside,
    normal_error_deg,
    normals_of,
    separation,
)

EVERYWHERE = np.ones((12, 12), bool)


def block(left: int, right: int) -> np.ndarray:
    """Rows 3 to 8 of columns `left` to `right` - 1."""
    mask = np.zeros((12, 12), bool)
    mask[3:9, left:right] = True
    return mask


def test_the_boundary_of_a_block_is_its_ring() -> None:
    assert boundary(block(3, 9), EVERYWHERE).sum() == 20


def test_where_the_view_ends_is_no_boundary() -> None:
    valid = EVERYWHERE.copy()
    valid[:, 6:] = False
    # Columns 3 to 5: left side 6, top and bottom two more each.
    assert boundary(block(3, 9), valid).sum() == 10


def test_a_shift_within_the_tolerance_costs_nothing_and_beyond_it_does() -> None:
    assert boundary_f(block(3, 8), block(3, 8), EVERYWHERE) == 1.0
    assert boundary_f(block(3, 8), block(5, 10), EVERYWHERE) == 1.0
    assert boundary_f(block(3, 8), block(5, 10), EVERYWHERE, tolerance_px=1) < 1.0


def test_boundary_f_by_hand() -> None:
    """Two bars of three pixels; half of what was found lies far away."""
    truth, found = np.zeros((12, 12), bool), np.zeros((12, 12), bool)
    truth[0, 0:3] = found[0, 0:3] = True
    found[11, 0:3] = True
    # Precision 3/6, recall 1: F = 2 · 0.5 / 1.5.
    assert boundary_f(found, truth, EVERYWHERE) == pytest.approx(2 / 3)


def test_a_mask_missed_altogether_scores_zero_and_no_mask_at_all_is_unknown() -> None:
    nothing = np.zeros((12, 12), bool)
    assert boundary_f(nothing, block(3, 8), EVERYWHERE) == 0.0
    assert boundary_f(block(3, 8), nothing, EVERYWHERE) == 0.0
    assert np.isnan(boundary_f(nothing, nothing, EVERYWHERE))


def test_a_ramp_has_the_slope_it_was_given() -> None:
    ramp = np.repeat((np.arange(30) * 4).astype(np.uint8)[None, :, None], 30, 0).repeat(3, 2)
    assert gradient(ramp)[15, 10:20] == pytest.approx(4.0, abs=1e-4)


def test_separation_by_hand() -> None:
    """Of the four pairs (chosen, other), 3 > 1, 3 > 2, 2 > 1 and 2 = 2."""
    values = np.array([3.0, 2.0, 1.0, 2.0])
    chosen = np.array([True, True, False, False])
    assert separation(values, chosen) == pytest.approx(2 * 3.5 / 4 - 1)


def test_separation_of_nothing_is_unknown() -> None:
    assert np.isnan(separation(np.ones(3), np.zeros(3, bool)))


def test_a_step_in_the_picture_agrees_with_an_edge_there_and_with_no_other() -> None:
    image = np.full((32, 32, 3), 50, np.uint8)
    image[:, 16:] = 200
    valid = np.ones((32, 32), bool)
    here, there = np.zeros_like(valid), np.zeros_like(valid)
    here[:, 15:17] = True
    there[:, 6:8] = True
    assert edge_agreement(image, here, valid) == pytest.approx(1.0)
    assert edge_agreement(image, there, valid) < 0.01


def test_the_rim_of_what_is_valid_does_not_count() -> None:
    assert inside(np.ones((9, 9), bool), 3).sum() == 9


def rays(size: int = 16) -> np.ndarray:
    y, x = np.mgrid[:size, :size] / size - 0.5
    found = np.stack([x, y, np.ones_like(x)], -1)
    unit: np.ndarray = (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)
    return unit


def test_a_wall_straight_ahead_faces_the_camera_whatever_its_scale() -> None:
    for scale in (1.0, 25.0):
        normal = normals_of(scale / rays()[..., 2].astype(np.float64), rays())
        assert normal == pytest.approx(np.broadcast_to([0.0, 0.0, -1.0], normal.shape), abs=1e-4)


def test_a_wall_at_45_degrees_by_hand() -> None:
    """The plane x + z = 10: depth 10 / (rx + rz), normal -(1, 0, 1) / √2."""
    ray = rays().astype(np.float64)
    normal = normals_of(10 / (ray[..., 0] + ray[..., 2]), rays())
    assert normal == pytest.approx(
        np.broadcast_to(-np.array([1, 0, 1]) / np.sqrt(2), normal.shape), abs=1e-3
    )


def test_the_angle_between_normals_is_the_mean_over_valid_pixels() -> None:
    truth = np.broadcast_to(np.array([0, 0, -1], np.float32), (2, 2, 3))
    normal = truth.astype(np.float64).copy()
    normal[0, 0] = [0, -1, 0]
    valid = np.array([[True, True], [False, False]])
    assert normal_error_deg(normal, truth, valid) == pytest.approx(45.0)
    assert np.isnan(normal_error_deg(normal, truth, ~valid & valid))
