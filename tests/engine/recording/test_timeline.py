from __future__ import annotations

import numpy as np
import pytest

from engine.recording.timeline import Found, Pairs, Picture, Timeline
from engine.types import Frame, read_only
from tests.fakes import analysis_of

_IMAGE = read_only(np.zeros((4, 4, 3), np.uint8))


def _picture(number: int) -> Picture:
    return Picture(number, number * 0.04, Frame(number, number * 0.04, 0.0, _IMAGE))


def _found(number: int) -> Found:
    return Found(number, analysis_of(_picture(number).frame))


def _numbers(pairs: Pairs, *items: Picture | Found) -> list[tuple[int, bool]]:
    """(number, has folds) of everything that is complete after `items`."""
    return [
        (picture.number, analysis is not None)
        for item in items
        for picture, analysis in pairs.add(item)
    ]


def test_a_recording_begins_at_zero() -> None:
    assert Timeline(0.04).at(0, 12.5) == 0.0


def test_times_run_as_in_the_source() -> None:
    timeline = Timeline(0.04)
    assert [timeline.at(0, pts_s) for pts_s in (5.0, 5.04, 5.1)] == [0.0, 0.04, 0.1]


@pytest.mark.parametrize("target_s", [0.0, 2.0, 60.0])
def test_after_a_jump_times_run_on_by_one_interval(target_s: float) -> None:
    timeline = Timeline(0.04)
    timeline.at(0, 5.0)
    timeline.at(0, 5.04)
    assert [timeline.at(1, target_s), timeline.at(1, target_s + 0.04)] == [0.08, 0.12]


def test_what_came_before_the_beginning_has_no_time() -> None:
    timeline = Timeline(0.04)
    timeline.begin(5.0)
    assert [timeline.at(0, pts_s) for pts_s in (4.96, 5.0)] == [None, 0.0]


def test_only_the_first_beginning_counts() -> None:
    timeline = Timeline(0.04)
    timeline.begin(5.0)
    timeline.begin(7.0)
    assert timeline.at(0, 5.0) == 0.0


def test_two_pictures_never_have_one_time() -> None:
    timeline = Timeline(0.04)
    assert [timeline.at(0, pts_s) for pts_s in (0.0, 0.0001, 0.04)] == [0.0, None, 0.04]


def test_a_picture_waits_for_its_folds() -> None:
    assert _numbers(Pairs(8), _picture(0)) == []
    assert _numbers(Pairs(8), _picture(0), _found(0)) == [(0, True)]


def test_a_picture_that_was_not_analysed_goes_bare_before_the_next() -> None:
    pairs = Pairs(8)
    assert _numbers(pairs, _picture(0), _picture(1), _picture(2), _found(1)) == [
        (0, False),
        (1, True),
    ]


def test_no_more_than_so_many_wait() -> None:
    pairs = Pairs(2)
    assert _numbers(pairs, *(_picture(number) for number in range(4))) == [(0, False), (1, False)]


def test_folds_of_a_picture_that_did_not_wait_are_of_no_use() -> None:
    pairs = Pairs(1)
    assert _numbers(pairs, _picture(0), _picture(1), _found(0)) == [(0, False)]


def test_at_the_end_nothing_stays_behind() -> None:
    pairs = Pairs(8)
    _numbers(pairs, _picture(0), _picture(1))
    assert [picture.number for picture, _ in pairs.rest()] == [0, 1]
