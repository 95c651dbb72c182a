"""Tiles and how a wall wears them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from train.simulate.dataset import GeometryFrame, SimulatedSet
from train.simulate.tissue import CHANNELS, Wall, level_of, pyramid, side_weight, slopes, tile

WALL = Wall(0, 51.2, (3.0, 4.0, 5.0))


@pytest.fixture(scope="module")
def facing(tiny_set: Path) -> GeometryFrame:
    """A wall across the world's z axis, 20 mm ahead, 0.1 mm a pixel, seen without rotation."""
    frame = SimulatedSet(tiny_set).frame("a", 0)
    y, x = np.mgrid[:64, :64].astype(np.float32) / 10
    position = np.dstack([x, y, np.full_like(x, 20)])
    normal = np.zeros_like(position)
    normal[..., 2] = -1
    depth = np.full_like(x, 1.0)  # near enough for the finest level
    return replace(frame, position=position, normal=normal, depth_mm=depth)


def test_a_wall_across_an_axis_shows_the_texels_of_one_side(facing: GeometryFrame) -> None:
    texture = WALL.on(facing)
    column, row = 30, 40 + 340  # shifts of 3.0 and 4.0 + 2 * 17.0 mm, texels of 0.1 mm
    texels = tile(0)[0][row : row + 64, column : column + 64] / 32
    assert texture[..., :4] == pytest.approx(texels[..., :4], abs=0.02)


def test_the_slope_lies_in_the_wall_along_its_axes(facing: GeometryFrame) -> None:
    texture = WALL.on(facing)
    texels = tile(0)[0][380:444, 30:94] / 32
    assert texture[..., 4:6] == pytest.approx(texels[..., 4:6], abs=0.03)
    assert not texture[..., 6].any()


def test_tiles_join_without_a_seam(facing: GeometryFrame) -> None:
    further = replace(facing, position=facing.position + np.float32([51.2, -102.4, 0]))
    assert WALL.on(further) == pytest.approx(WALL.on(facing), abs=0.02)


def test_texture_stays_on_the_wall_when_the_camera_turns(facing: GeometryFrame) -> None:
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    turned = replace(facing, rotation=turn)
    here, there = WALL.on(facing), WALL.on(turned)
    assert there[..., :4] == pytest.approx(here[..., :4])
    assert there[..., 4:] == pytest.approx(here[..., 4:] @ turn, abs=1e-6)


def test_the_level_has_texels_as_large_as_what_a_pixel_covers() -> None:
    assert [level_of(mm, 0.1, 5) for mm in (0.01, 0.13, 0.15, 0.3, 99.0)] == [0, 0, 1, 2, 4]


@pytest.mark.parametrize("normal", [(1, 0, 0), (0.6, 0.8, 0), (0.577, 0.577, 0.577)])
def test_some_side_always_counts(normal: tuple[float, ...]) -> None:
    assert sum(side_weight(each) for each in normal) > 0


def test_a_side_the_wall_is_turned_away_from_does_not_count() -> None:
    assert side_weight(0.4) == 0
    assert side_weight(-1.0) == pytest.approx(0.64)


def test_each_level_is_the_mean_of_four_texels_of_the_one_before() -> None:
    layers = np.zeros((32, 32, len(CHANNELS)), np.float32)
    layers[:2, :2, 0] = [[0.0, 1.0], [2.0, 3.0]]
    levels = pyramid(layers)
    assert [level.shape[0] for level in levels] == [32, 16, 8, 4, 2]
    assert levels[0][1, 1, 0] == 96  # 3 * 32
    assert levels[1][0, 0, 0] == 48  # mean 1.5
    assert levels[2][0, 0, 0] == 12


def test_slopes_of_a_wave_are_its_derivative() -> None:
    wave = np.sin(np.linspace(0, 2 * np.pi, 64, endpoint=False))[None].repeat(64, 0)
    down_too = wave.astype(np.float32) + wave.T.astype(np.float32)
    across, _ = slopes(down_too)
    assert across[0] == pytest.approx(
        np.sqrt(2) * np.cos(np.linspace(0, 2 * np.pi, 64, False)), abs=1e-3
    )
