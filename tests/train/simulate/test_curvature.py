"""Fold labels from curvature, on shapes whose curvature is known."""

import numpy as np
import pytest

from train.simulate.curvature import CrestOptions, convexity, label_crests, vertex_areas
from train.simulate.tube import AnalyticFolds, Feature, Tube


def tube_with(radius_at) -> Tube:  # type: ignore[no-untyped-def]
    """A straight tube along z whose radius is a function of (z, θ)."""
    z = np.arange(0.0, 90.0, 0.6)
    theta = np.arange(120) * 2 * np.pi / 120
    radius = radius_at(z[:, None], theta[None, :]) * np.ones((len(z), len(theta)))
    x, y = radius * np.cos(theta), radius * np.sin(theta)
    vertices = np.stack([x, y, z[:, None] * np.ones_like(x)], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(len(z) - 1), np.arange(120), indexing="ij")
    a, b = row * 120 + column, row * 120 + (column + 1) % 120
    faces = np.concatenate(
        [
            np.stack([a, b, a + 120], -1).reshape(-1, 3),
            np.stack([b, b + 120, a + 120], -1).reshape(-1, 3),
        ]
    )[:, ::-1]
    line = np.stack([np.zeros_like(z), np.zeros_like(z), z], axis=-1)
    n = len(vertices)
    return Tube(
        vertices, faces, line, np.full(len(z), 20.0), np.zeros(n, np.uint8), AnalyticFolds.none(n)
    )


def ring(z, theta):  # type: ignore[no-untyped-def]
    return 20 - 7 * np.exp(-(((z - 45) / 2.5) ** 2))


def long_ridge(z, theta):  # type: ignore[no-untyped-def]
    return 20 - 3 * np.exp(-((((theta - 3) * 20) / 2.5) ** 2))


def test_a_smooth_tube_is_nowhere_convex_towards_the_lumen() -> None:
    curvature, _ = convexity(tube_with(lambda z, theta: 20.0), 3.5)
    inside = slice(120 * 20, 120 * 130)
    assert np.abs(curvature[inside]).max() < 0.01


def test_a_smooth_tube_has_no_fold() -> None:
    assert not label_crests(tube_with(lambda z, theta: 20.0)).inside.any()


def test_a_ring_is_one_fold_at_its_place() -> None:
    tube = tube_with(ring)
    labels = label_crests(tube).inside
    assert labels.max() == 1
    assert tube.vertices[labels > 0, 2].mean() == pytest.approx(45, abs=0.5)


def test_a_ridge_along_the_colon_is_no_fold() -> None:
    assert not label_crests(tube_with(long_ridge)).inside.any()


@pytest.mark.parametrize("feature", [each for each in Feature if each])
def test_what_is_no_fold_is_never_part_of_one(feature: Feature) -> None:
    tube = tube_with(ring)
    tube.feature[tube.vertices[:, 0] > 0] = feature
    labels = label_crests(tube).inside
    assert labels.any()
    assert not labels[tube.is_never_fold].any()


def test_a_crest_that_is_too_short_is_the_rim_of_a_hole() -> None:
    def bump(z, theta):  # type: ignore[no-untyped-def]
        return 20 - 4 * np.exp(-(((z - 45) / 2.5) ** 2) - (((theta - 3) * 20) / 5.0) ** 2)

    tube = tube_with(bump)
    assert label_crests(tube).inside.any()
    assert not label_crests(tube, CrestOptions(shortest_mm=20.0)).inside.any()


def test_vertex_areas_add_up_to_the_surface() -> None:
    vertices = np.array([[0, 0, 0], [3, 0, 0], [0, 4, 0]], dtype=float)
    assert vertex_areas(vertices, np.array([[0, 1, 2]])) == pytest.approx([2, 2, 2])


def test_the_label_of_a_ring_ends_where_its_distance_says() -> None:
    tube = tube_with(ring)
    labels = label_crests(tube)
    rim = np.abs(tube.vertices[labels.inside > 0, 2] - 45).max()
    beyond = labels.beyond_mm[np.abs(tube.vertices[:, 2] - 45) < 0.4]
    assert beyond.max() < -1.0
    assert 0.9 < rim < 5.0  # along the tube; 1.5 mm and more down the steep flank


def test_two_semicircles_at_one_place_are_two_folds() -> None:
    def crescents(z, theta):  # type: ignore[no-untyped-def]
        half = np.abs(np.sin(theta)) ** 0.7
        return 20 - 7 * half * np.exp(-(((z - 45) / 2.5) ** 2))

    assert label_crests(tube_with(crescents)).inside.max() == 2
