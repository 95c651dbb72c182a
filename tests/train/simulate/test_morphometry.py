"""Folds of known size, measured."""

import numpy as np
import pytest

from tests.train.simulate.test_curvature import ring, tube_with
from train.simulate.morphometry import Morphometry, measure, quantiles, unroll


def half_rings(z, theta):  # type: ignore[no-untyped-def]
    """Two crescents 30 mm apart on one side: 6 mm high where θ = π, nothing at θ = 0."""
    both = np.exp(-(((z - 30) / 2.5) ** 2)) + np.exp(-(((z - 60) / 2.5) ** 2))
    return 20 - 6 * both * np.sin(theta / 2) ** 4


def test_the_wall_is_unrolled() -> None:
    distance = unroll(tube_with(ring))
    assert distance[10] == pytest.approx(np.full(72, 20.0), abs=0.05)
    assert distance.min(axis=0) == pytest.approx(np.full(72, 13.0), abs=0.5)


def test_height_width_and_span_of_a_ring() -> None:
    found = measure(tube_with(ring))
    assert len(found.height_mm) == 1
    assert found.height_mm[0] == pytest.approx(7.0, abs=0.7)
    assert found.width_mm[0] == pytest.approx(5.0 * np.sqrt(np.log(2)), abs=0.7)
    assert found.span[0] == 1.0
    assert not len(found.spacing_mm)


def test_spacing_and_span_of_crescents() -> None:
    found = measure(tube_with(half_rings))
    assert np.median(found.spacing_mm) == pytest.approx(30, abs=1)
    # sin⁴(θ/2) is at least one half between 2 asin(½^¼) = 114.5° and 245.5°.
    assert found.span == pytest.approx(np.full(2, 131 / 360), abs=0.03)


def test_the_radius_is_that_of_the_circle_of_the_same_area() -> None:
    found = measure(tube_with(lambda z, theta: 20.0 + 0 * z), (0.2, 0.8))
    assert found.radius_mm == pytest.approx(np.full(len(found.radius_mm), 20.0), abs=0.05)


def test_a_ridge_along_the_colon_is_not_measured() -> None:
    found = measure(
        tube_with(lambda z, theta: 20 - 3 * np.exp(-((((theta - 3) * 20) / 2.5) ** 2)) + 0 * z)
    )
    assert not len(found.height_mm)


def test_samples_are_joined() -> None:
    one = Morphometry(*(np.array([float(i)]) for i in range(5)))
    assert Morphometry.joined([one, one]).span.tolist() == [3.0, 3.0]


def test_an_empty_sample_has_no_quantiles() -> None:
    assert np.isnan(quantiles(np.zeros(0))).all()
    assert quantiles(np.arange(101.0)).tolist() == [5, 25, 50, 75, 95]
