"""Distances inside a hose whose radius is known."""

import numpy as np
import pytest

from tests.train.simulate.solids import hose
from train.simulate.clearance import Wall

RADIUS = 20.0
INNER = RADIUS * np.cos(np.pi / 24)  # of the 24 flat sides


@pytest.fixture(scope="module")
def wall() -> Wall:
    mesh = hose(radius=RADIUS)
    return Wall(np.asarray(mesh.vertices), np.asarray(mesh.faces)[:, ::-1])  # facing inwards


def test_the_gap_is_the_distance_to_the_wall(wall: Wall) -> None:
    towards = np.array([np.cos(np.pi / 24), np.sin(np.pi / 24), 0])
    gap, away = wall.gap_mm((INNER - 5) * towards[None] + [0, 0, 121.7])
    assert gap == pytest.approx([5.0])
    assert away[0] == pytest.approx(-towards)


def test_outside_the_gap_is_negative_and_the_way_leads_back_in(wall: Wall) -> None:
    gap, away = wall.gap_mm(np.array([[RADIUS + 3, 0, 120.0]]))
    assert gap == pytest.approx([-3.0])
    assert away[0] == pytest.approx([-1, 0, 0])


@pytest.mark.parametrize("room_mm", [1.0, 4.0])
def test_the_way_to_the_wall_ends_where_the_room_does(wall: Wall, room_mm: float) -> None:
    start, direction = np.array([[2.0, 0, 120.0]]), np.array([[1.0, 0, 0]])
    reach = wall.reach_mm(start, direction, np.array([50.0]), np.array([room_mm]))
    assert reach == pytest.approx([RADIUS - 2 - room_mm], abs=0.3)


def test_a_short_way_is_gone_to_its_end(wall: Wall) -> None:
    start, direction = np.array([[0.0, 0, 120.0]]), np.array([[0, 1.0, 0]])
    assert wall.reach_mm(start, direction, np.array([6.5]), np.array([3.0])).tolist() == [6.5]


def test_without_room_nothing_is_gone(wall: Wall) -> None:
    start, direction = np.array([[RADIUS - 1, 0, 120.0]]), np.array([[1.0, 0, 0]])
    assert wall.reach_mm(start, direction, np.array([9.0]), np.array([3.0])).tolist() == [0.0]
