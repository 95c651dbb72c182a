"""Trust over time, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.clearness import Clearness
from engine.types import Analysis, Frame, TrackedFolds
from tests.fakes import analysis_of


def trusted(pts_s: float, trust: float) -> Analysis:
    found = analysis_of(Frame(0, pts_s, 0.0, np.zeros((8, 8, 3), np.uint8)))
    return replace(found, mask=replace(found.mask, trust=trust))


def after(*trusts: float, step_s: float = 0.1) -> list[bool]:
    clearness = Clearness()
    return [clearness.look(trusted(at * step_s, trust)) for at, trust in enumerate(trusts)]


def test_the_first_picture_counts_at_once() -> None:
    assert after(0.9) == [True]
    assert after(0.1) == [False]


def test_one_bad_picture_among_good_ones_changes_nothing() -> None:
    assert all(after(1.0, 1.0, 0.0, 1.0, 1.0))


def test_bad_pictures_are_told_after_a_third_of_a_second() -> None:
    # The mean of e^(-t / 0.3 s) is .37 after 0.3 s and .26 after 0.4 s.
    assert after(1.0, 0.0, 0.0, 0.0, 0.0) == [True, True, True, True, False]


def test_it_takes_more_to_be_clear_again_than_to_stay_so() -> None:
    # From 0 the mean of pictures at 0.5 nears 0.5, which is enough to stay clear only.
    assert not any(after(0.0, *[0.5] * 30))
    assert all(after(1.0, *[0.5] * 30))


def test_after_a_jump_the_picture_there_decides() -> None:
    clearness = Clearness()
    assert clearness.look(trusted(0.0, 1.0))
    assert not clearness.look(trusted(60.0, 0.0))
    assert clearness.look(trusted(1.0, 1.0))


def test_without_an_analysis_it_stays_as_it_was() -> None:
    clearness = Clearness()
    clearness.look(trusted(0.0, 0.0))
    assert not clearness.look(None)
    assert Clearness().look(None)


def test_the_same_picture_is_judged_once() -> None:
    clearness = Clearness()
    clearness.look(trusted(0.0, 1.0))
    clearness.look(trusted(0.1, 0.0))
    assert all(clearness.look(trusted(0.1, 0.0)) for _ in range(50))


def test_folds_that_were_moved_along_count_like_those_found() -> None:
    shown = Frame(0, 0.0, 0.0, np.zeros((8, 8, 3), np.uint8))
    assert not Clearness().look(TrackedFolds((), shown, shown, trust=0.1))
