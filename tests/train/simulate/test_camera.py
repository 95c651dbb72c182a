"""Projection there and back."""

import numpy as np
import pytest

from train.simulate.camera import Fisheye


@pytest.mark.parametrize("half_angle", [55, 65, 78])
def test_a_pixel_projects_onto_itself(half_angle: float) -> None:
    camera = Fisheye.colonoscope(64, float(np.radians(half_angle)))
    sees = camera.sees()
    rays = camera.rays()[sees]
    v, u = np.nonzero(sees)
    assert camera.project(rays * 37.0) == pytest.approx(np.stack([u, v], 1), abs=1e-6)


def test_rays_have_unit_length() -> None:
    rays = Fisheye.colonoscope(32, 1.1).rays()
    assert np.linalg.norm(rays, axis=2) == pytest.approx(1.0)


def test_the_half_angle_reaches_the_side() -> None:
    camera = Fisheye.colonoscope(256, 1.0)
    point = np.array([[np.sin(1.0), 0.0, np.cos(1.0)]])
    assert camera.project(point)[0] == pytest.approx([127.5 + 128, 127.5])
