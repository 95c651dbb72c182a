"""Projection there and back."""

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.camera import Aperture, Camera, Fisheye, Pinhole, aperture_mask, camera_from

CAMERAS = [
    Fisheye.colonoscope(64, float(np.radians(55))),
    Fisheye.colonoscope(64, float(np.radians(78))),
    Fisheye.endomapper(96, 72),
    Pinhole.wide(80, 60, float(np.radians(90))),
    Pinhole(40, 30, 20.0, 24.0, 18.0, 16.5, Aperture.CIRCLE),
]
cameras = pytest.mark.parametrize("camera", CAMERAS, ids=lambda camera: camera.model)


@cameras
def test_a_pixel_projects_onto_itself(camera: Camera) -> None:
    sees = camera.sees()
    v, u = np.nonzero(sees)
    assert len(u) > 100
    assert camera.project(camera.rays()[sees] * 37.0) == pytest.approx(
        np.stack([u, v], 1), abs=1e-6
    )


@cameras
def test_rays_have_unit_length(camera: Camera) -> None:
    assert np.linalg.norm(camera.rays(), axis=2) == pytest.approx(1.0)


@cameras
def test_a_camera_is_read_back_from_what_it_writes(camera: Camera) -> None:
    assert camera_from(camera.as_dict()) == camera


@cameras
def test_half_the_pixels_look_in_the_same_directions(camera: Camera) -> None:
    half = camera.resized(camera.width // 2, camera.height // 2)
    point = np.array([[1.0, -2.0, 9.0]])
    assert half.project(point) + 0.5 == pytest.approx((camera.project(point) + 0.5) / 2)


def test_the_half_angle_reaches_the_side() -> None:
    camera = Fisheye.colonoscope(256, 1.0)
    point = np.array([[np.sin(1.0), 0.0, np.cos(1.0)]])
    assert camera.project(point)[0] == pytest.approx([127.5 + 128, 127.5])


def test_a_pinhole_by_hand() -> None:
    camera = Pinhole(100, 80, 50.0, 60.0, 49.5, 39.5)
    assert camera.project(np.array([[2.0, -1.0, 4.0]]))[0] == pytest.approx([74.5, 24.5])


def test_endomappers_calibration_is_for_720_by_540() -> None:
    camera = Fisheye.endomapper()
    assert camera.project(np.array([[0.0, 0.0, 5.0]]))[0] == pytest.approx([367.6783, 276.3991])


def test_the_octagon_has_endomappers_corners() -> None:
    mask = aperture_mask(Aperture.OCTAGON, 1440, 1080)
    inside = [(260, 2), (1230, 2), (1415, 225), (75, 855), (720, 540)]
    outside = [(250, 2), (1240, 2), (1425, 540), (60, 540), (75, 875)]
    assert [bool(mask[y, x]) for x, y in inside] == [True] * 5
    assert [bool(mask[y, x]) for x, y in outside] == [False] * 5


def test_the_circle_touches_the_shorter_side() -> None:
    mask = aperture_mask(Aperture.CIRCLE, 60, 40)
    assert mask[:, 30].sum() == 40
    assert mask[20].sum() == 40


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="pinhole, kannala-brandt"):
        camera_from({"model": "orthographic"})


def test_settings_of_another_model_are_refused() -> None:
    about = Pinhole.wide(8, 6, 1.0).as_dict() | {"k": [0, 0, 0, 0]}
    with pytest.raises(RecipeError, match="pinhole"):
        camera_from(about)
