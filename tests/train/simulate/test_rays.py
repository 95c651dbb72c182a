"""Occluding edges on hand-drawn distances, and rays against a sphere."""

import numpy as np
import pytest
import trimesh

from train.simulate.anatomy import AnalyticFolds, Tube
from train.simulate.camera import Fisheye
from train.simulate.rays import Scene, occluding_band, occluding_edge, widen


def step_image() -> np.ndarray:
    """Left half at 10 mm, right half at 40 mm."""
    distance = np.full((6, 8), 10.0, np.float32)
    distance[:, 4:] = 40.0
    return distance


def test_the_edge_is_the_near_side_of_a_jump() -> None:
    edge = occluding_edge(step_image())
    assert edge[:, 3].all()
    assert edge.sum() == 6


def test_a_gentle_slope_has_no_edge() -> None:
    assert not occluding_edge(np.linspace(10, 25, 48, dtype=np.float32).reshape(6, 8)).any()


def test_a_jump_of_less_than_a_share_of_the_distance_is_no_edge() -> None:
    distance = np.full((4, 4), 100.0, np.float32)
    distance[:, 2:] = 110.0
    assert not occluding_edge(distance).any()


def test_the_band_stays_on_the_near_side() -> None:
    distance = step_image()
    rays = np.zeros((6, 8, 3))
    rays[..., 2] = 1
    rays[..., 0] = np.arange(8) * 0.1
    band = occluding_band(distance, rays, occluding_edge(distance))
    assert band[:, 1:4].all()
    assert not band[:, 4:].any()


def test_a_wider_edge_grows_into_the_near_side_only() -> None:
    edge = np.zeros((5, 7), bool)
    edge[:, 3] = True
    near = np.zeros((5, 7), bool)
    near[:, :4] = True
    assert np.flatnonzero(widen(edge, near, 3)[2]).tolist() == [2, 3]


def test_rays_measure_the_inside_of_a_sphere() -> None:
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=30.0)
    n = len(sphere.vertices)
    line = np.linspace([0, 0, -20], [0, 0, 20], 30)
    tube = Tube(
        np.asarray(sphere.vertices), np.asarray(sphere.faces)[:, ::-1], line,
        np.full(30, 20.0), np.zeros(n, bool), AnalyticFolds.none(n),
    )  # fmt: skip
    rays = Fisheye.colonoscope(16, 1.0).rays()
    view = Scene(tube, np.zeros(n, np.int64)).look(np.eye(4), rays)
    assert view.distance == pytest.approx(30.0, rel=0.01)
    assert np.sum(view.normal * rays, axis=2) == pytest.approx(-1.0, abs=0.01)
