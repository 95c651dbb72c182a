"""Principal curvatures against shapes of known curvature and against libigl."""

import igl
import numpy as np
import pytest
import trimesh

from train.simulate.neighbours import Neighbours
from train.simulate.principal import principal_curvature
from train.simulate.rays import vertex_normals


def curved(mesh: trimesh.Trimesh, rings: int) -> tuple[np.ndarray, np.ndarray]:
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    neighbours = Neighbours.of(faces, len(vertices))
    return principal_curvature(vertices, vertex_normals(vertices, faces), neighbours, rings)


def test_a_ball_is_curved_by_one_over_its_radius() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=20.0)
    assert curved(ball, 2)[0] == pytest.approx(1 / 20, rel=0.01)


def test_a_ball_seen_from_inside_is_curved_the_other_way() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=20.0)
    ball.invert()
    assert curved(ball, 2)[0] == pytest.approx(-1 / 20, rel=0.01)


def test_a_cylinder_is_most_curved_across_its_axis() -> None:
    z, theta = np.meshgrid(np.arange(12.0), np.arange(48) * np.pi / 24, indexing="ij")
    vertices = np.stack([10 * np.cos(theta), 10 * np.sin(theta), z], axis=-1).reshape(-1, 3)
    a = np.arange(11 * 48)
    b = a // 48 * 48 + (a + 1) % 48
    faces = np.concatenate([np.stack([a, b, a + 48], 1), np.stack([b, b + 48, a + 48], 1)])
    curvature, direction = curved(trimesh.Trimesh(vertices, faces, process=False), 2)
    inner = np.s_[3 * 48 : 9 * 48]
    assert curvature[inner] == pytest.approx(0.1, rel=0.02)
    assert direction[inner, 2] == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("rings", [2, 4])
def test_a_bumpy_wall_is_curved_as_libigl_says(rings: int) -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=20.0)
    rng = np.random.default_rng(0)
    wave = 1 + 0.1 * np.sin(ball.vertices / 3).sum(axis=1, keepdims=True)
    ball.vertices *= wave + rng.uniform(-0.002, 0.002, wave.shape)
    first, second, k_first, k_second = igl.principal_curvature(
        np.array(ball.vertices), np.array(ball.faces, np.int64), rings
    )[:4]
    is_first = np.ravel(k_first) >= np.ravel(k_second)
    curvature, direction = curved(ball, rings)
    assert curvature == pytest.approx(
        np.where(is_first, k_first.ravel(), k_second.ravel()), abs=1e-4
    )
    along = np.where(is_first[:, None], first, second)
    clear = np.abs(np.ravel(k_first) - np.ravel(k_second)) > 0.01
    assert np.abs(np.sum(along * direction, axis=1))[clear] == pytest.approx(1, abs=1e-3)


def test_too_few_neighbours_have_no_curvature() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    faces = np.array([[0, 1, 2]])
    curvature, direction = principal_curvature(
        vertices, vertex_normals(vertices, faces), Neighbours.of(faces, 3), 2
    )
    assert not curvature.any()
    assert not direction.any()
