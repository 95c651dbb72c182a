"""What trackers are given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.dataset import SimulatedSet
from train.tracking.inputs import Clip, Errors, oracle_folds
from train.tracking.sightings import Sighting, paint_tracks

FLAWLESS = Errors(dropped=0, lost=0, split=0, merged=0, false=0, jitter_px=0)


@pytest.fixture
def clip(video_set: Path) -> Clip:
    return Clip.of("a", SimulatedSet(video_set).sequence("a"))


def test_a_clip_has_its_times_and_the_flow_of_its_camera(clip: Clip) -> None:
    assert [frame.pts_s for frame in clip.frames] == pytest.approx([0, 0.04, 0.08, 0.12])
    for flow, before, after in zip(clip.flows, clip.truths, clip.truths[1:], strict=False):
        assert np.array_equal(flow.warp(before == 3), (after == 3) & flow.known)
        assert flow.known.mean() > 0.9


def test_every_second_frame_keeps_its_time(video_set: Path) -> None:
    clip = Clip.of("a", SimulatedSet(video_set).sequence("a"), every=2)
    assert [frame.pts_s for frame in clip.frames] == pytest.approx([0, 0.08])
    assert clip.interval_s == pytest.approx(0.08)


def test_a_sequence_without_pictures_is_refused(tiny_set: Path) -> None:
    with pytest.raises(RecipeError, match="no pictures"):
        Clip.of("a", SimulatedSet(tiny_set).sequence("a"))


def test_an_oracle_that_never_errs_finds_every_fold_as_it_is(clip: Clip) -> None:
    for truth, folds in zip(clip.truths, oracle_folds(clip, 1, FLAWLESS), strict=True):
        labels = paint_tracks([replace(fold, track=fold.label) for fold in folds], truth.shape)
        sighting = Sighting.of(truth, labels)
        assert sighting.tracks.tolist() == [1, 2]
        # The outline is smooth: corners are lost.
        assert sighting.iou.max(axis=0).min() > 0.95


@pytest.mark.parametrize(
    ("errors", "count"),
    [
        (Errors(dropped=1, lost=0, split=0, merged=0, false=0), 0),
        (Errors(dropped=0, lost=0, split=1, merged=0, false=0, jitter_px=0), 4),
        (Errors(dropped=0, lost=0, split=0, merged=0, false=1, jitter_px=0), 3),
    ],
)
def test_an_oracle_errs_as_told(clip: Clip, errors: Errors, count: int) -> None:
    assert len(next(oracle_folds(clip, 1, errors))) == count


def test_neighbours_are_merged_into_one(clip: Clip) -> None:
    close = np.zeros_like(clip.truths[0])
    close[20:30, 10:60], close[32:42, 10:60] = 1, 2
    clip.truths[:] = [close]
    always = Errors(dropped=0, lost=0, split=0, merged=1, false=0, jitter_px=0)
    (fold,) = next(oracle_folds(clip, 1, always))
    assert fold.area_px >= 2 * 10 * 50 - 200


def test_an_oracle_errs_the_same_way_again(clip: Clip) -> None:
    first, second = (list(oracle_folds(clip, 7)) for _ in range(2))
    assert [[fold.area_px for fold in folds] for folds in first] == [
        [fold.area_px for fold in folds] for folds in second
    ]
