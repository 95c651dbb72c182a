"""Outlines, text and insets."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.screen import Inset, Outline, Screen

WHITE = np.full((200, 240, 3), 200, np.uint8)


def test_an_outline_is_as_large_as_fits() -> None:
    mask = Outline(aspect=1.5).mask(200, 240)
    assert mask.any(axis=0).sum() == 240
    assert mask.any(axis=1).sum() == 160


def test_corners_are_cut_by_shares_of_width_and_height() -> None:
    mask = Outline(1.2, (0.25, 0.25)).mask(200, 240)
    assert 1 - mask.mean() == pytest.approx(4 * 0.25 * 0.25 / 2, abs=0.01)
    assert np.array_equal(mask, mask[::-1, ::-1])


def test_a_circle_touches_the_sides() -> None:
    mask = Outline(1.0, radius=0.5).mask(200, 200)
    assert mask.mean() == pytest.approx(np.pi / 4, abs=0.01)


def test_outside_is_black_and_no_view() -> None:
    framed, view = Screen(Outline(1.2, (0.2, 0.2)), black=7).apply(WHITE)
    assert (framed[~view] == 7).all()
    assert (framed[view] == 200).all()


def test_an_inset_covers_its_corner_and_takes_it_from_the_view() -> None:
    inset = Inset(0.25, 0.4, (0, 60, 20), ((0.1, 0.5), (0.9, 0.5)))
    framed, view = Screen(inset=inset).apply(WHITE)
    assert not view[120:, :60].any()
    assert view[:120].all()
    assert tuple(framed[130, 5]) == (0, 60, 20)
    assert framed[160, 30, 1] > 200


def test_letters_are_bright_and_no_view() -> None:
    framed, view = Screen(text=(("ABC", 0.1, 0.5),), text_size=0.5).apply(np.zeros_like(WHITE))
    assert framed.max() > 200
    assert not view[framed[..., 0] > 100].any()
    assert view.mean() > 0.95


def test_the_picture_that_was_given_stays_as_it_is() -> None:
    before = WHITE.copy()
    Screen(inset=Inset(0.3, 0.3, (0, 0, 0)), text=(("A", 0.1, 0.5),)).apply(WHITE)
    assert np.array_equal(WHITE, before)


def test_drawn_screens_show_most_of_the_picture() -> None:
    rng = np.random.default_rng(4)
    shown = [Screen.draw(rng).apply(WHITE)[1].mean() for _ in range(60)]
    assert 0.5 < min(shown) < max(shown) <= 1
    assert 0.7 < np.mean(shown) < 0.95
