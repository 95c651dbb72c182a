from __future__ import annotations

import numpy as np
import pytest

from train.false_alarms import (
    Alarms,
    Ground,
    bright_patches,
    called_areas,
    called_excess,
    called_share,
    grounds,
    rim,
)

WHOLE = np.ones((10, 10), bool)


def test_white_is_bright_and_pink_mucosa_is_not() -> None:
    image = np.array([[[255, 255, 250], [240, 150, 130], [200, 200, 200]]], np.uint8)
    highlights, sheets = bright_patches(image, np.ones((1, 3), bool))
    assert (highlights | sheets).tolist() == [[True, False, False]]


def test_a_large_bright_patch_is_a_sheet_and_a_small_one_a_highlight() -> None:
    image = np.full((100, 100, 3), 90, np.uint8)
    image[10:15, 10:15], image[50:56, 50:56] = 255, 255
    highlights, sheets = bright_patches(image, np.ones((100, 100), bool))
    # 25 and 36 of 10 000 pixels; the limit is 30.
    assert (highlights.sum(), sheets.sum()) == (25, 36)
    assert highlights[12, 12] and sheets[52, 52]


def test_the_rim_of_a_whole_picture_runs_along_its_border() -> None:
    found = rim(WHOLE, 0.2)
    assert found.sum() == 100 - 6 * 6
    assert not found[2:8, 2:8].any()


def test_the_rim_follows_the_field_of_view_not_the_picture() -> None:
    view = np.zeros((20, 20), bool)
    view[5:15, 5:15] = True
    found = rim(view, 0.1)
    assert found.sum() == 10 * 10 - 8 * 8
    assert not found[~view].any()


def test_a_picture_without_a_view_has_no_rim() -> None:
    assert not rim(np.zeros((4, 4), bool)).any()


def test_grounds_are_parts_of_the_view() -> None:
    view, absent = WHOLE.copy(), np.zeros((10, 10), bool)
    view[:, 8:], absent[:, 7:] = False, True
    image = np.full((10, 10, 3), 255, np.uint8)
    areas = {ground: int(part.sum()) for ground, part in grounds(image, view, absent).items()}
    assert areas == {
        Ground.ABSENT: 10,
        Ground.BARE_HIGHLIGHT: 10,
        Ground.HIGHLIGHT: 0,
        Ground.SHEET: 80,
        Ground.RIM: 80 - 8 * 6,
        Ground.VIEW: 80,
    }


def _areas(**called: tuple[int, int]) -> np.ndarray:
    return np.array([called.get(ground.name, (0, 0)) for ground in Ground], np.int64)


def test_the_share_is_called_over_all_pixels() -> None:
    assert called_share(_areas(RIM=(3, 12)), Ground.RIM) == 0.25


def test_a_ground_that_is_nowhere_has_no_share() -> None:
    assert np.isnan(called_share(_areas(RIM=(3, 12)), Ground.HIGHLIGHT))


def test_the_excess_is_held_against_the_rest_of_the_view() -> None:
    # Rim: 4 of 10; rest: 6 of 60, a quarter of it.
    assert called_excess(_areas(RIM=(4, 10), VIEW=(10, 70)), Ground.RIM) == pytest.approx(4.0)


def test_without_folds_elsewhere_there_is_no_excess() -> None:
    assert np.isnan(called_excess(_areas(RIM=(4, 10), VIEW=(4, 70)), Ground.RIM))


def test_a_pixel_is_called_fold_from_the_threshold_on() -> None:
    probability = np.array([[0.5, 0.4], [0.9, 0.1]], np.float32)
    parts = {ground: np.array([[True, True], [False, False]]) for ground in Ground}
    assert called_areas(probability, parts, 0.5).tolist() == [[1, 2]] * len(Ground)


def test_frames_of_one_block_are_redrawn_together() -> None:
    none, all_of_it = _areas(ABSENT=(0, 10)), _areas(ABSENT=(10, 10))
    frames = np.stack([none, all_of_it] * 4)
    together = Alarms(frames, tuple("aabbccdd")).share(Ground.ABSENT)
    apart = Alarms(frames, tuple("abcdefgh")).share(Ground.ABSENT)
    assert (together.low, together.value, together.high) == (0.5, 0.5, 0.5)
    assert apart.low < 0.3 < 0.7 < apart.high


def test_frames_can_be_chosen() -> None:
    alarms = Alarms(np.stack([_areas(VIEW=(n, 10)) for n in range(4)]), tuple("abcd"))
    assert alarms.chosen(lambda number: number > 1).share(Ground.VIEW).value == 0.25
