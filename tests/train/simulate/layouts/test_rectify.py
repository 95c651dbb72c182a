"""Another lens sees the same surface at the same depth."""

import numpy as np
import pytest

from train.simulate.camera import Camera, Fisheye, Pinhole
from train.simulate.dataset import Flag, GeometryFrame, View
from train.simulate.layouts.rectify import rectify

SOURCE = Fisheye.colonoscope(96, 1.1)
TARGET = Pinhole.wide(64, 48, 1.3)


def frame_of(distance: np.ndarray, camera: Camera = SOURCE) -> GeometryFrame:
    """A frame of a given distance; the left half is fold 3."""
    normal = np.zeros((*distance.shape, 3), np.float32)
    flags = (distance > 0) * np.uint8(Flag.VALID)
    flags[:, : distance.shape[1] // 2] |= np.uint8(Flag.FOLD)
    instances = ((flags & Flag.FOLD) > 0) * np.uint16(3)
    pose = np.eye(4)
    pose[:3, 3] = (10.0, -20.0, 300.0)
    view = View(distance.astype(np.float32), normal, flags.astype(np.uint8), instances)
    return GeometryFrame.of(view, pose, camera)


def test_a_wall_across_the_axis_stays_flat() -> None:
    frame = frame_of(np.where(SOURCE.sees(), 30 / SOURCE.rays()[..., 2], 0))
    seen = rectify(frame, SOURCE, TARGET)
    assert seen.depth_mm * seen.rays[..., 2] == pytest.approx(np.full((48, 64), 30.0), rel=2e-3)


def test_points_lie_where_the_eye_was() -> None:
    frame = frame_of(np.full((96, 96), 25.0))
    offset = rectify(frame, SOURCE, TARGET).position - (10.0, -20.0, 300.0)
    assert np.linalg.norm(offset, axis=2) == pytest.approx(25.0, abs=1e-3)


def test_no_depth_appears_between_a_fold_and_what_lies_behind() -> None:
    distance = np.where(np.arange(96) < 48, 20.0, 60.0) * np.ones((96, 1))
    found = rectify(frame_of(distance), SOURCE, TARGET).depth_mm
    assert sorted(set(found.ravel().tolist())) == [20, 60]


def test_labels_are_never_mixed() -> None:
    seen = rectify(frame_of(np.full((96, 96), 25.0)), SOURCE, TARGET)
    assert np.array_equal(seen.instances == 3, seen.fold)
    assert seen.fold[:, :31].all() and not seen.fold[:, 33:].any()


def test_what_the_lens_did_not_see_is_invalid() -> None:
    narrow = Pinhole.wide(48, 48, 0.5)
    seen = rectify(frame_of(np.full((48, 48), 25.0), narrow), narrow, TARGET)
    assert seen.valid[24, 32] and not seen.valid[0, 0]
    assert not seen.depth_mm[~seen.valid].any()
