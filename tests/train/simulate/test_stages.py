"""Pictures of how labels come about, on one small real colon."""

import numpy as np
import pytest

from train.simulate.anatomy import ColonShape, grow_colon
from train.simulate.camera_path import PathOptions, camera_path
from train.simulate.curvature import CrestOptions
from train.simulate.rays import OcclusionOptions
from train.simulate.stages import label_sheet, label_stages
from train.simulate.tube import Tube


@pytest.fixture(scope="module")
def tube() -> Tube:
    rng = np.random.default_rng(5)
    return grow_colon(rng, ColonShape.draw(rng, length=130.0), step_mm=1.0)


def test_the_stages_are_seven_pictures_and_a_legend(tube: Tube) -> None:
    sheet = label_stages(tube, 65.0)
    assert sheet.dtype == np.uint8
    height, width = sheet.shape[:2]
    panels = [
        sheet[row * height // 3 : (row + 1) * height // 3, column * 400 : (column + 1) * 400]
        for row in range(3)
        for column in range(2)
    ]
    assert all(panel.std() > 5 for panel in panels)
    assert width > 800


def test_a_place_near_an_end_is_moved_into_the_colon(tube: Tube) -> None:
    assert label_stages(tube, 0.0).shape == label_stages(tube, 65.0).shape


def test_a_sheet_shows_every_view_plain_and_labelled(tube: Tube) -> None:
    poses = camera_path(tube, np.random.default_rng(1), PathOptions(3))
    sheet = label_sheet(tube, poses, CrestOptions(), OcclusionOptions())
    assert sheet.shape == (192, 4 * 2 * 192, 3)
    plain, labels = sheet[:, :192], sheet[:, 192:384]
    assert np.ptp(plain.astype(int), axis=2).max() > 20
    assert not np.array_equal(plain, labels)
