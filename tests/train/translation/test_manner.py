"""Flicker and variety of translations that can be calculated by hand."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from tests.train.translation.products import tiny_product
from train.simulate.appearance import Rendering
from train.simulate.dataset import SimulatedSet
from train.tracking.consistency import Flow
from train.translation.manner import MANNERS, manners, variety
from train.translation.painter import Painter
from train.translation.product import open_product
from train.translation.steadiness import Pair, flicker, flickers, pairs

SHAPE = (4, 6)


def rendering(image: np.ndarray) -> Rendering:
    valid = np.ones(image.shape[:2], bool)
    return Rendering(image, ~valid, ~valid, valid, ~valid)


def to_the_right() -> Pair:
    """A wall that moves one pixel to the right; its first column comes into view."""
    rng = np.random.default_rng(1)
    wall = rng.integers(60, 120, (SHAPE[0], SHAPE[1] + 1, 3)).astype(np.uint8)
    source = np.arange(24, dtype=np.int32).reshape(SHAPE) - 1
    known = np.ones(SHAPE, bool)
    known[:, 0] = False
    flow = Flow(np.where(known, source, 0).astype(np.int32), known)
    return Pair("a", rendering(wall[:, 1:]), rendering(wall[:, :-1]), flow)


def test_what_is_not_translated_or_is_dyed_does_not_flicker() -> None:
    pair = to_the_right()
    earlier, later = pair.earlier.image, pair.later.image
    assert flicker(pair, earlier, later) == 0
    assert flicker(pair, earlier + np.uint8(9), later + np.uint8(9)) == 0


def test_a_pattern_that_moves_with_the_wall_is_steady_and_one_on_the_glass_flickers() -> None:
    pair = to_the_right()
    pattern = np.zeros((*SHAPE, 3), np.uint8)
    pattern[:, ::2] = 10
    earlier = pair.earlier.image + pattern
    with_the_wall = pair.later.image + np.roll(pattern, 1, axis=1)
    assert flicker(pair, earlier, with_the_wall) == 0
    assert flicker(pair, earlier, pair.later.image + pattern) == 10


def test_what_was_seen_once_only_does_not_count() -> None:
    pair = to_the_right()
    later = pair.later.image.copy()
    later[:, 0] = 255
    assert flicker(pair, pair.earlier.image, later) == 0
    nowhere = Flow(pair.flow.source, np.zeros(SHAPE, bool))
    unseen = Pair("a", pair.earlier, pair.later, nowhere)
    assert np.isnan(flicker(unseen, pair.earlier.image, later))


@pytest.fixture(scope="module")
def video(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("video") / "set"
    shutil.copytree(tiny_set, folder)
    for name in ("d", "e"):
        np.save(folder / name / "times.npy", 0.02 * np.arange(3))
    return folder


def test_pairs_are_neighbours_of_each_video_in_one_look(video: Path) -> None:
    found = pairs(SimulatedSet(video), "test", "vrcaps", count=9, seed=1)
    assert [pair.sequence for pair in found] == ["d", "d", "e", "e"]
    # The tip rests, so that every pixel is where it was.
    known = found[0].flow.known
    assert known.mean() > 0.5
    assert np.array_equal(found[0].flow.source[known], np.flatnonzero(known))
    again = pairs(SimulatedSet(video), "test", "vrcaps", count=9, seed=1)
    assert np.array_equal(found[1].earlier.image, found[0].later.image)
    assert np.array_equal(again[3].later.image, found[3].later.image)


def test_scattered_views_are_no_video(tiny_set: Path) -> None:
    with pytest.raises(RecipeError, match="is no video"):
        pairs(SimulatedSet(tiny_set), "test", "plain", count=2, seed=1)
    with pytest.raises(RecipeError, match="no split 'exam'"):
        pairs(SimulatedSet(tiny_set), "exam", "plain", count=2, seed=1)


@pytest.fixture(scope="module")
def styled(tmp_path_factory: pytest.TempPathFactory) -> Painter:
    options = {"width": 4, "content_blocks": 1, "style_blocks": 1, "judge_width": 4,
               "depth": {"weight": 0.0}}  # fmt: skip
    folder = tiny_product(
        tmp_path_factory.mktemp("styled"), translator="structured", options=options
    )
    assert json.loads((folder / "translator.json").read_text())["translator"] == "structured"
    return Painter(*open_product(folder))


def test_variety_is_the_mean_difference_of_two_styles(styled: Painter) -> None:
    shown = [rendering(np.full((64, 64, 3), 40 * number, np.uint8)) for number in (1, 2, 3)]
    found = variety(styled, shown, seed=4)
    assert found is not None
    one, other = (styled(shown, styled.styles(3, [4, number])).astype(float) for number in (1, 2))
    assert found == pytest.approx(np.abs(one - other).mean((1, 2, 3)))
    assert (found > 0).all()


def test_one_style_has_no_variety_and_no_video_no_flicker(video: Path, tmp_path: Path) -> None:
    painter = Painter.open(tiny_product(tmp_path / "plain"))
    shown = pairs(SimulatedSet(video), "test", "plain", count=1, seed=1)
    told = manners({"plain": painter}, [], shown, seed=1)
    assert set(told) == set(MANNERS)
    assert told["variety"].values == {}
    assert told["flicker"].values["plain"] == pytest.approx(flickers(painter, shown))
    assert "flicker" not in manners({"plain": painter}, [], [], seed=1)
