"""One tester for every kind of test set, and our own simulated ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.benchmark.test_sets import LabelledSequence, LabelledSet, TestSettings, open_test_set


@pytest.fixture(scope="module")
def settings(tiny_set: Path) -> TestSettings:
    return TestSettings("rings", folder=str(tiny_set), style="plain")


@pytest.fixture(scope="module")
def rings(settings: TestSettings) -> LabelledSet:
    return open_test_set(settings)


def test_a_set_has_the_sequences_of_its_split(rings: LabelledSet) -> None:
    assert [sequence.name for sequence in rings.sequences] == ["d", "e"]
    assert len(rings) == 6
    assert all(isinstance(sequence, LabelledSequence) for sequence in rings.sequences)


def test_a_frame_has_everything_that_the_simulator_knows(rings: LabelledSet) -> None:
    frame = rings.sequences[0][1]
    assert frame.fold is not None and frame.instances is not None and frame.edge is not None
    shapes = {each.shape for each in (frame.valid, frame.fold, frame.instances, frame.edge)}
    assert shapes == {frame.image.shape[:2]}
    assert np.array_equal(frame.instances > 0, frame.fold)
    assert frame.fold.any() and not frame.fold[~frame.valid].any()


def test_a_frame_is_the_same_every_time(rings: LabelledSet, settings: TestSettings) -> None:
    again = open_test_set(settings).sequences[1][2]
    assert np.array_equal(rings.sequences[1][2].image, again.image)


def test_scattered_views_are_no_video(rings: LabelledSet) -> None:
    assert not rings.sequences[0].is_video
    assert rings.sequences[0][0].viewpoint is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "simulatd"}, "simulated"),
        ({"split": "exam"}, "exam"),
        ({"label": "ridge"}, "curvature"),
        ({"style": "oil"}, "plain"),
        ({"folder": "nowhere"}, "no finished simulated set"),
    ],
)
def test_what_is_not_there_is_refused_with_the_choices(
    settings: TestSettings, change: dict[str, str], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        open_test_set(replace(settings, **change))
