"""Occluding edges on hand-drawn distances, and rays against a sphere."""

import numpy as np
import pytest
import trimesh

from train.simulate.camera import Camera, Fisheye, Pinhole
from train.simulate.hits import Hits
from train.simulate.rays import (
    OcclusionOptions,
    Scene,
    incidence,
    occluding_band,
    occluding_edge,
    vertex_normals,
    widen,
)
from train.simulate.tube import AnalyticFolds, Tube


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
    camera = Pinhole(8, 6, 10.0, 10.0, 3.5, 2.5)  # neighbours are 1 mm apart at 10 mm
    band = occluding_band(distance, camera, occluding_edge(distance))
    assert band[:, 1:4].all()
    assert not band[:, 4:].any()


def test_the_band_is_as_wide_as_told() -> None:
    distance = np.full((5, 40), 10.0, np.float32)
    distance[:, 30:] = 40.0
    camera = Pinhole(40, 5, 100.0, 100.0, 19.5, 2.0)  # neighbours are 0.1 mm apart at 10 mm
    options = OcclusionOptions(band_mm=0.95)
    band = occluding_band(distance, camera, occluding_edge(distance, options), options)
    assert np.flatnonzero(band[2]).tolist() == list(range(20, 30))


@pytest.mark.parametrize("camera", [Fisheye.colonoscope(48, 1.3), Pinhole.wide(48, 48, 1.6)])
def test_the_quick_test_loses_no_pixel_of_the_band(camera: Camera) -> None:
    rng = np.random.default_rng(0)
    distance = np.where(rng.random((48, 48)) < 0.03, 5.0, rng.uniform(20, 40, (48, 48)))
    distance = np.where(camera.sees(), distance, 0).astype(np.float32)
    edge = occluding_edge(distance)
    points = distance[..., None] * camera.rays()
    gaps = np.linalg.norm(points[:, :, None] - points[edge], axis=-1).min(axis=-1)
    expected = (gaps < 3.5) & (distance > 0)
    assert np.array_equal(occluding_band(distance, camera, edge), expected)


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
    camera = Fisheye.colonoscope(16, 1.0)
    scene = Scene(tube)
    hits = scene.look(np.eye(4), camera)
    assert len(hits.pixel) == np.count_nonzero(camera.sees())
    assert hits.distance == pytest.approx(30.0, rel=0.01)
    normal = hits.image(scene.normals(hits, np.eye(4), camera))
    towards = np.sum(normal * camera.rays(), axis=2)[camera.sees()]
    assert towards == pytest.approx(-1.0, abs=0.01)


def triangle_scene() -> tuple[Scene, Hits]:
    line = np.linspace([0, 0, -3], [0, 0, 3], 8)
    vertices = np.array([[-4.0, -4, 5], [4, -4, 5], [0, 6, 5]])
    tube = Tube(
        vertices, np.array([[0, 2, 1]]), line, np.full(8, 5.0),
        np.zeros(3, bool), AnalyticFolds.none(3),
    )  # fmt: skip
    scene = Scene(tube)
    return scene, scene.look(np.eye(4), Pinhole.wide(32, 32, 1.2))


def test_values_of_corners_are_interpolated() -> None:
    _, hits = triangle_scene()
    assert hits.interpolate(np.array([7.0, 0, 0])) == pytest.approx(7 * hits.weights[:, 0])


def test_the_heaviest_label_wins_and_none_has_no_weight() -> None:
    _, hits = triangle_scene()
    label = hits.label(np.array([7, 3, 0]))
    # The second corner of the face is vertex 2, which has no label.
    assert np.array_equal(label, np.where(hits.weights[:, 0] > hits.weights[:, 2], 7, 3))


def test_pixels_without_a_hit_take_the_fill() -> None:
    _, hits = triangle_scene()
    image = hits.image(hits.distance, fill=-1)
    assert image.shape == (32, 32)
    assert np.count_nonzero(image > 0) == len(hits.pixel)
    assert np.count_nonzero(image == -1) == 32 * 32 - len(hits.pixel)


def slow_edge(distance: np.ndarray, options: OcclusionOptions) -> np.ndarray:
    """The near side of every jump between neighbours, in whole arrays."""
    edge = np.zeros(distance.shape, bool)
    for one, other in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        first, second = distance[one], distance[other]
        jump, nearer = np.abs(second - first), np.minimum(first, second)
        is_jump = (jump > options.jump_mm) & (jump > np.float32(options.jump_share) * nearer)
        edge[one] |= is_jump & (first <= second)
        edge[other] |= is_jump & (first > second)
    return edge & (distance > 0)


def test_the_edge_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(2)
    distance = rng.uniform(0, 40, (31, 47)).astype(np.float32)
    distance[rng.random(distance.shape) < 0.1] = 0
    assert np.array_equal(occluding_edge(distance), slow_edge(distance, OcclusionOptions()))


def ball_scene() -> tuple[Tube, Scene]:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=30.0)
    n = len(ball.vertices)
    vertices = np.asarray(ball.vertices) * np.random.default_rng(0).uniform(0.8, 1, (n, 1))
    line = np.linspace([0, 0, -20], [0, 0, 20], 30)
    tube = Tube(
        vertices, np.asarray(ball.faces)[:, ::-1], line, np.full(30, 20.0),
        np.zeros(n, np.uint8), AnalyticFolds.none(n),
    )  # fmt: skip
    return tube, Scene(tube)


def tilted() -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    pose[:3, 3] = 3.0, -2.0, 5.0
    return pose


def test_normals_are_the_weighted_ones_bent_towards_the_camera() -> None:
    tube, scene = ball_scene()
    camera, pose = Fisheye.colonoscope(24, 1.3), tilted()
    hits = scene.look(pose, camera)
    rays = camera.rays().reshape(-1, 3)[hits.pixel]
    corners = vertex_normals(tube.vertices, tube.faces)[hits.corners]
    expected = np.einsum("nk,nkc->nc", hits.weights, corners) @ pose[:3, :3]
    expected -= np.maximum(np.sum(expected * rays, axis=1), 0)[:, None] * rays
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = scene.normals(hits, pose, camera)
    assert found == pytest.approx(expected, abs=1e-5)
    assert incidence(found, hits, camera) == pytest.approx(-np.sum(found * rays, axis=1), abs=1e-5)


def test_normals_move_with_the_wall() -> None:
    tube, scene = ball_scene()
    turn = tilted()[:3, :3]
    still = scene.normals(scene.look(np.eye(4), LENS), np.eye(4), LENS)
    scene.move(tube.vertices @ turn.T)
    turned = np.eye(4)
    turned[:3, :3] = turn
    assert scene.normals(scene.look(turned, LENS), turned, LENS) == pytest.approx(still, abs=1e-4)


LENS = Pinhole.wide(12, 12, 1.4)


def test_a_vertex_normal_is_the_mean_of_its_faces_by_area() -> None:
    # Two right triangles on the edge (0, 0, 0)-(0, 1, 0): in z = 0 of area 1, in x = 0 of area ½.
    vertices = np.array([[0.0, 0, 0], [0, 1, 0], [2, 0, 0], [0, 0, 1]])
    normals = vertex_normals(vertices, np.array([[0, 2, 1], [0, 1, 3]]))
    assert normals[0] == pytest.approx(np.array([1, 0, 2]) / 5**0.5)
    assert normals[2] == pytest.approx([0, 0, 1])


def test_the_nearest_wall_is_told_and_outside_is_zero() -> None:
    _, scene = ball_scene()
    assert 5 < scene.nearest_mm(tilted(), LENS) < 30
    outside = np.eye(4)
    outside[2, 3] = 25.0
    outside[:3, :3] = np.diag([1.0, -1.0, -1.0])
    outside[0, 3] = 40.0
    assert scene.nearest_mm(outside, LENS) == 0.0
