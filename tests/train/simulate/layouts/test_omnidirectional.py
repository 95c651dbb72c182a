"""The omnidirectional camera: there and back, by hand, and close to other cameras."""

from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.camera import Camera, Fisheye, Pinhole
from train.simulate.layouts.c3vd import PUBLISHED_CAMERA
from train.simulate.layouts.omnidirectional import Omnidirectional

PINHOLE = Pinhole(40, 30, 20.0, 24.0, 18.0, 16.5)


@pytest.mark.parametrize(
    "camera", [PUBLISHED_CAMERA.resized(135, 108), Omnidirectional.of(PINHOLE)]
)
def test_a_pixel_projects_onto_itself(camera: Camera) -> None:
    sees = camera.sees()
    v, u = np.nonzero(sees)
    found = camera.project(camera.rays()[sees] * 25.0)
    assert found == pytest.approx(np.stack([u, v], axis=1), abs=1e-6)


def test_a_ray_by_hand(tmp_path: Path) -> None:
    """At ρ = 100: z = 500 − 0.001 · 100² + 0 + 1e−8 · 100⁴ = 491."""
    values = "width=400 height=300 cx=200 cy=150 a0=500 a2=-0.001 a3=0 a4=1e-08 c=1 d=0 e=0"
    (tmp_path / "config.ini").write_text("; a comment\n" + values.replace(" ", "\n"))
    ray = Omnidirectional.read(tmp_path / "config.ini").rays()[150, 300]
    assert ray / ray[2] == pytest.approx([100 / 491, 0, 1])


def test_a_pinhole_is_one_exactly() -> None:
    assert Omnidirectional.of(PINHOLE).rays() == pytest.approx(PINHOLE.rays(), abs=1e-9)


def test_a_colonoscope_is_one_within_half_a_pixel() -> None:
    fisheye = Fisheye.colonoscope(256, float(np.radians(65)))
    assert Omnidirectional.of(fisheye).misfit_px(fisheye) < 0.5


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    PUBLISHED_CAMERA.write(tmp_path / "config.ini")
    read = Omnidirectional.read(tmp_path / "config.ini")
    assert read.bend == pytest.approx(PUBLISHED_CAMERA.bend)
    assert read.rays()[100, 200] == pytest.approx(PUBLISHED_CAMERA.rays()[100, 200])


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no omnidirectional calibration"):
        Omnidirectional.read(tmp_path / "config.ini")
