"""Scores of segmenters of which one knows what they will find."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from engine.instances import InstanceOptions
from tests.train.benchmark.segmenters import brighter_than
from train.benchmark.measuring import Measure, Placed, measure
from train.benchmark.scores import Scores
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings, open_test_set
from train.instance_metrics import panoptic_quality
from train.segmentation.product import Segmenter
from train.simulate.camera import Pinhole
from train.tracking.consistency import Viewpoint


@pytest.fixture(scope="module")
def rings(stored_set: Path) -> LabelledSet:
    """Folds of grey 160 on 80."""
    return open_test_set(TestSettings("rings", folder=str(stored_set)))


def scores(rings: LabelledSet, level: float, frames: int = 0) -> Scores:
    return measure(brighter_than(level), rings, Measure(64, frames), "x")


def test_who_finds_every_fold_has_full_marks(rings: LabelledSet) -> None:
    found = scores(rings, 120)
    assert len(found) == 6
    assert not found.counts[:, 0, 1:].any()
    assert found.boundary_f.tolist() == [1.0] * 6
    assert panoptic_quality([each for each in found.compared if each]).value == 1.0
    assert found.sequences == ("d", "e")
    assert found.sequence.tolist() == [0, 0, 0, 1, 1, 1]


class _OfLargeFolds(Segmenter):
    """Whose folds are larger than any picture."""

    @property
    def dividing(self) -> InstanceOptions:
        return InstanceOptions(self.threshold, smallest=10**6)


def test_folds_are_divided_as_the_segmenter_asks(rings: LabelledSet) -> None:
    segmenter = _OfLargeFolds(brighter_than(120).network, 0.5)
    found = measure(segmenter, rings, Measure(64), "x")
    assert not found.counts[:, 0, 1:].any()
    assert all(each is not None and each.iou.shape == (len(each.iou), 0) for each in found.compared)


def test_who_finds_nothing_has_none(rings: LabelledSet) -> None:
    found = scores(rings, 250)
    assert not found.counts[:, 0, :2].any()
    assert found.boundary_f.tolist() == [0.0] * 6


def test_who_calls_everything_fold_is_wrong_where_there_is_none(rings: LabelledSet) -> None:
    found = scores(rings, 10)
    frame = rings.sequences[0][0]
    assert frame.fold is not None
    true = int((frame.fold & frame.valid).sum())
    assert found.counts[0, 0].tolist() == [true, int(frame.valid.sum()) - true, 0]


def test_fewer_frames_come_evenly_from_all_sequences(rings: LabelledSet) -> None:
    assert scores(rings, 120, frames=4).sequence.tolist() == [0, 0, 1, 1]


def test_scores_come_back_from_disk(rings: LabelledSet, tmp_path: Path) -> None:
    found = scores(rings, 120)
    found = replace(found, compared=(None, *found.compared[1:]))
    found.save(tmp_path / "a.npz")
    again = Scores.open(tmp_path / "a.npz")
    assert (again.fingerprint, again.threshold, again.sequences) == ("x", 0.5, ("d", "e"))
    assert np.array_equal(again.counts, found.counts)
    assert np.array_equal(again.reliability, found.reliability)
    assert again.compared[0] is None
    assert again.compared[3] is not None and found.compared[3] is not None
    assert np.array_equal(again.compared[3].iou, found.compared[3].iou)
    assert np.array_equal(again.shown[2].found, found.shown[2].found)


@dataclass(frozen=True)
class Film:
    """A square that stands still; the camera does, too."""

    frames: tuple[LabelledFrame, ...]
    name: str = "film"
    is_video: bool = True

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, number: int) -> LabelledFrame:
        return self.frames[number]


def square(left: int, viewpoint: Viewpoint | None = None) -> LabelledFrame:
    image = np.full((64, 64, 3), 60, np.uint8)
    image[20:40, left : left + 20] = 200
    fold = image[..., 0] > 100
    texture = np.random.default_rng(3).integers(0, 20, (64, 64, 1), dtype=np.uint8)
    return LabelledFrame(image + texture, np.ones((64, 64), bool), fold, viewpoint=viewpoint)


def test_a_mask_that_stays_is_steady_and_one_that_comes_and_goes_is_not() -> None:
    camera = Pinhole(64, 64, 40.0, 40.0, 31.5, 31.5)
    still = Viewpoint(np.full((64, 64), 30.0, np.float32), np.eye(4), camera)
    steady = Film((square(20, still), square(20, still)))
    found = measure(brighter_than(130), LabelledSet("film", (steady,)), Measure(64), "x")
    assert np.isnan(found.steadiness[0])
    assert found.steadiness[1] == 1.0
    # The wall stands still, the mask is somewhere else by half of its width.
    jumping = Film((square(20, still), square(30, still)))
    found = measure(brighter_than(130), LabelledSet("film", (jumping,)), Measure(64), "x")
    assert found.steadiness[1] == pytest.approx(1 / 3, abs=0.02)


def test_without_geometry_motion_is_read_from_the_pictures() -> None:
    film = Film((square(20), square(21)))
    found = measure(brighter_than(130), LabelledSet("film", (film,)), Measure(64), "x")
    assert found.steadiness[1] > 0.9


def test_pictures_known_to_show_no_fold_are_counted_apart() -> None:
    frame = square(20)
    bare = replace(frame, fold=None, absent=np.ones((64, 64), bool))
    film = Film((bare,), is_video=False)
    found = measure(brighter_than(130), LabelledSet("bare", (film,)), Measure(64), "x")
    assert found.called.tolist() == [[400, 4096]]
    assert not found.counts.any()
    assert found.compared == (None,)


def test_other_sizes_are_placed_whole_and_labels_are_not_mixed() -> None:
    image = np.full((90, 120, 3), 90, np.uint8)
    labels = np.zeros((90, 120), np.int32)
    labels[30:60, 40:80] = 7
    valid = np.ones((90, 120), bool)
    placed = Placed.of(LabelledFrame(image, valid, labels > 0, labels), 60)
    assert placed.image.shape == (60, 60, 3)
    assert placed.instances is not None and placed.fold is not None
    assert set(np.unique(placed.instances)) == {0, 7}
    assert np.array_equal(placed.instances > 0, placed.fold)
    # Half of the size: 20 by 15, and bars of 7 or 8 above and below.
    assert placed.fold.sum() == 20 * 15
    assert placed.valid.sum() == 60 * 45


def test_edges_are_scored_where_they_are_asked_for_and_known(rings: LabelledSet) -> None:
    knows = replace(brighter_than(120), has_edges=True)
    # The second channel says exp(-20) everywhere: no edge at any threshold.
    found = measure(knows, rings, Measure(64, 2, with_edges=True), "x")
    assert found.edges[:, :, 3].all() and not found.edges[:, :, :3].any()
    assert found.edge_dice.tolist() == [0.0, 0.0]
    silent = measure(brighter_than(120), rings, Measure(64, 2, with_edges=True), "x")
    assert not silent.edges.any() and np.isnan(silent.edge_dice).all()
