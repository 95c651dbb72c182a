"""What lies before the wall is painted where it says, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.covers import Bubbles, Cap, Cover, Tool, draw_covers


@pytest.fixture(params=[Tool, Cap, Bubbles])
def cover(request: pytest.FixtureRequest) -> Cover:
    drawn: Cover = request.param.draw(np.random.default_rng(8))
    return drawn


def test_a_cover_changes_the_picture_where_it_says(cover: Cover) -> None:
    picture = np.full((120, 160, 3), 0.5, np.float32)
    where = cover.paint(picture)
    changed = np.abs(picture - 0.5).max(axis=2)
    assert where.shape == (120, 160)
    assert 0 < where.mean() < 0.7
    assert (changed[where] > 0).mean() > 0.9


def test_a_cover_stays_where_it_is_in_every_frame(cover: Cover) -> None:
    first, second = (cover.paint(np.full((64, 64, 3), level, np.float32)) for level in (0.2, 0.7))
    assert np.array_equal(first, second)


def test_a_tool_reaches_from_the_border_to_its_tip() -> None:
    tool = Tool((0.5, 1.3), (0.5, 0.5), (0.1, 0.05), (0.9, 0.9, 0.9), 0.0, 0.0)
    where = tool.paint(np.zeros((100, 100, 3), np.float32))
    assert where[99, 50]
    assert where[52, 50]
    assert not where[48, 50]
    assert not where[99, 62]


def test_a_bubble_is_a_disc_with_a_rim() -> None:
    picture = np.full((200, 200, 3), 0.5, np.float32)
    where = Bubbles(((0.5, 0.5, 0.1),), 0.4).paint(picture)
    assert where.sum() == pytest.approx(np.pi * 20**2, rel=0.06)
    assert picture[100, 120, 0] > 0.7
    assert picture[110, 100, 0] == pytest.approx(0.44)


def test_most_videos_show_nothing_before_the_wall() -> None:
    rng = np.random.default_rng(1)
    shown = np.mean([bool(draw_covers(rng)) for _ in range(300)])
    assert 0.1 < shown < 0.35
