"""Disturbances, the fit, and that the shipped constants tell pictures apart."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from train.disturbances import DISTURBANCES, disturbed
from train.trust import GOOD, area_under_curve, fit_trust, report_trust, tell_apart

SIZE = 96


@pytest.fixture
def picture() -> np.ndarray:
    rng = np.random.default_rng(6)
    image = rng.integers(60, 200, (SIZE, SIZE, 3)).astype(np.uint8)
    return cv2.GaussianBlur(image, (0, 0), 1).astype(np.uint8)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_disturbance_changes_the_view_alone(name: str, picture: np.ndarray) -> None:
    inside = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(inside, (48, 48), 40, 1, -1)
    before = picture.copy()
    found = disturbed(picture, inside, name, np.random.default_rng(1))
    assert found.shape == picture.shape and found.dtype == np.uint8
    assert not found[inside == 0].any()
    changed = np.abs(found.astype(int) - picture)[inside == 1].max(axis=1)
    assert (changed > 8).mean() > 0.05
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("name", DISTURBANCES)
def test_the_same_draw_gives_the_same_picture(name: str, picture: np.ndarray) -> None:
    inside = np.ones((SIZE, SIZE), np.uint8)
    one, other = (disturbed(picture, inside, name, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, other)


def test_the_area_under_the_curve_by_hand() -> None:
    # Of six pairs, four are in order and one is a tie.
    assert area_under_curve(np.array([0.9, 0.4]), np.array([0.1, 0.4, 0.5])) == 4.5 / 6


def test_a_fit_separates_what_lies_on_both_sides_of_what_is_usual() -> None:
    rng = np.random.default_rng(4)
    good = rng.normal(0, 1, (300, 2))
    away = np.array([8.0, 0.0])
    rows = {GOOD: good, "less": good - away, "more": good + away}
    model = fit_trust(rows)
    told = {each.name: each for each in tell_apart(model, "any", rows)}
    assert told[GOOD].area is None and told[GOOD].low < 0.02
    assert min(told["less"].area or 0, told["more"].area or 0) > 0.99
    assert model.square[0] < 0 < model.bias


def test_a_report_has_a_line_for_every_disturbance(tiny_set: Path) -> None:
    report = report_trust(tiny_set, None, 3)
    assert [each.name for each in report.told] == [GOOD, *DISTURBANCES]
    assert report.table().count("\n") == len(DISTURBANCES) + 2
