"""Exact flow on a flat wall, by hand."""

import numpy as np
import pytest

from train.simulate.camera import Pinhole
from train.tracking.consistency import Viewpoint, consistency, flow_between

CAMERA = Pinhole(9, 9, 10.0, 10.0, 4.0, 4.0)


def at(x_mm: float, z_mm: float = 0.0, wall_mm: float = 20.0) -> Viewpoint:
    """In front of a wall across the view at z = `wall_mm`; one pixel is 2 mm of it from 20 mm."""
    pose = np.eye(4)
    pose[:3, 3] = x_mm, 0.0, z_mm
    distance = (wall_mm - z_mm) / CAMERA.rays()[..., 2]
    return Viewpoint(distance.astype(np.float32), pose, CAMERA)


def column(x: int) -> np.ndarray:
    mask = np.zeros((9, 9), bool)
    mask[:, x] = True
    return mask


def test_a_step_to_the_side_moves_the_mask_by_its_pixels() -> None:
    flow = flow_between(at(0.0), at(4.0))
    # The camera went 4 mm = 2 px to the right, so the wall went 2 px to the left.
    assert np.array_equal(flow.warp(column(5)), column(3))
    assert not flow.known[:, 7:].any()
    assert flow.known[:, :7].all()


def test_consistency_by_hand() -> None:
    flow = flow_between(at(0.0), at(4.0))
    later = column(3) | column(4)
    # Of two columns in view, one was there before: 9 of 18 pixels.
    assert consistency(flow, column(5), later) == pytest.approx(0.5)


def test_what_just_came_into_view_does_not_count() -> None:
    flow = flow_between(at(0.0), at(4.0))
    assert consistency(flow, column(5), column(3) | column(8)) == 1.0


def test_what_was_hidden_before_does_not_count() -> None:
    screen = at(0.0)
    screen.distance_mm[:, 5] = 10.0
    flow = flow_between(screen, at(4.0))
    assert not flow.known[:, 3].any()
    assert flow.known[:, 2].all()


def test_consistency_of_nothing_is_unknown() -> None:
    empty = np.zeros((9, 9), bool)
    assert np.isnan(consistency(flow_between(at(0.0), at(0.0)), empty, empty))
