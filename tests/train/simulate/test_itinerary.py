"""The picture of an examination of a straight hose."""

import numpy as np
import pytest

from tests.train.simulate.solids import as_tube, hose
from train.simulate.examination import Examination
from train.simulate.itinerary import COLOURS, WIDTH_PX, draw_itinerary, typical_frames
from train.simulate.steering import Phase


def straight(phases: list[Phase]) -> Examination:
    """Forward through a hose, 1 cm a frame."""
    count = len(phases)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, 2, 3] = along = 20.0 + 10.0 * np.arange(count)
    index = np.array([list(Phase).index(phase) for phase in phases], np.uint8)
    return Examination("whole", np.arange(count) / 50, index, along, poses)


def test_the_middle_of_the_longest_stay_is_typical() -> None:
    stays = [Phase.INSERTION] * 3 + [Phase.CONTACT] + [Phase.INSERTION] * 5
    assert typical_frames(straight(stays)) == {Phase.INSERTION: 6, Phase.CONTACT: 3}


@pytest.mark.parametrize("phase", [Phase.INSERTION, Phase.RETROFLEXION])
def test_the_way_has_the_colour_of_its_phase(phase: Phase) -> None:
    sheet = draw_itinerary(as_tube(hose()), straight([phase] * 20), {})
    plan = sheet[: len(sheet) - WIDTH_PX // len(Phase)]
    hits = np.flatnonzero((plan == COLOURS[phase]).all(axis=2).any(axis=0))
    # 19 cm of a hose 24 cm long that fills the sheet but for its margins.
    assert np.ptp(hits) == pytest.approx(190 / 240 * (WIDTH_PX - 80), abs=12)


def test_a_view_is_shown_under_the_name_of_its_phase() -> None:
    view = np.full((54, 64, 3), (10, 200, 10), np.uint8)
    sheet = draw_itinerary(as_tube(hose()), straight([Phase.CAECUM] * 3), {Phase.CAECUM: view})
    tile = WIDTH_PX // len(Phase)
    column = list(COLOURS).index(Phase.CAECUM) * tile + tile // 2
    assert sheet[-tile // 2, column].tolist() == [10, 200, 10]
    assert sheet[-tile // 2, column + tile].tolist() == [18, 18, 18]
