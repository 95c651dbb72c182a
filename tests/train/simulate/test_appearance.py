"""What every style of simulated pictures promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.appearance import STYLES, Rendering, draw_look, shade
from train.simulate.dataset import GeometryFrame, SimulatedSet

every_style = pytest.mark.parametrize("style", STYLES)


@pytest.fixture(scope="module")
def frame(tiny_set: Path) -> GeometryFrame:
    return SimulatedSet(tiny_set).frame("a", 0)


def cropped(frame: GeometryFrame, height: int) -> GeometryFrame:
    names = set(GeometryFrame.__slots__) - {"rotation"}
    return replace(frame, **{name: getattr(frame, name)[:height] for name in names})


def seeded(number: int) -> np.random.Generator:
    return np.random.default_rng(number)


@every_style
def test_the_same_generators_give_the_same_bytes(frame: GeometryFrame, style: str) -> None:
    one, other = (draw_look(style, seeded(5)).render(frame, seeded(6)) for _ in range(2))
    for name in Rendering.__slots__:
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@every_style
def test_a_look_is_not_changed_by_what_it_rendered(frame: GeometryFrame, style: str) -> None:
    look = draw_look(style, seeded(5))
    first = look.render(frame, seeded(6)).image
    look.render(frame, seeded(7))
    assert np.array_equal(look.render(frame, seeded(6)).image, first)


@every_style
@pytest.mark.parametrize("seed", range(6))
def test_labels_are_those_of_the_wall_unless_something_covers_it(
    frame: GeometryFrame, style: str, seed: int
) -> None:
    shown = shade(frame, seeded(seed), style)
    assert not ((shown.valid | shown.hard) & ~frame.valid).any()
    uncovered = shown.valid & ~(shown.hard & ~frame.polyp)
    for label, truth in ((shown.fold, frame.fold), (shown.edge, frame.edge)):
        assert not (label & ~(truth & shown.valid)).any()
        assert not (truth & uncovered & ~label).any()


@every_style
def test_a_picture_has_the_size_of_its_view(frame: GeometryFrame, style: str) -> None:
    wide = shade(cropped(frame, 40), seeded(1), style)
    assert wide.image.shape == (40, 64, 3)
    assert wide.image.dtype == np.uint8
    assert wide.fold.shape == wide.valid.shape == (40, 64)


@every_style
def test_a_view_of_nothing_gives_a_picture_without_labels(frame: GeometryFrame, style: str) -> None:
    nothing = np.zeros_like(frame.valid)
    empty = replace(
        frame, valid=nothing, fold=nothing, edge=nothing, crest=nothing, polyp=nothing,
        depth_mm=np.zeros_like(frame.depth_mm), normal=np.zeros_like(frame.normal),
    )  # fmt: skip
    shown = shade(empty, seeded(2), style)
    assert not (shown.fold | shown.edge | shown.valid | shown.hard).any()


def test_an_unknown_style_is_refused_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match=r"oil.*rich"):
        draw_look("oil", seeded(0))
