"""Other people's test sets, each a tiny one that the test writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.benchmark.foldit import red_folds
from train.benchmark.recordings import depth_edges
from train.benchmark.test_sets import (
    TEST_SETS,
    LabelledFrame,
    LabelledSequence,
    TestSettings,
    open_test_set,
)
from train.real import Half, half_of
from train.simulate.camera import Pinhole
from train.simulate.dataset import SimulatedSet
from train.simulate.layouts import export_set

HEIGHT, WIDTH = 48, 64
PHANTOM = Path(__file__).resolve().parents[4] / "shared/data/c3vd_phantom"


def _write(path: Path, picture: NDArray[np.generic]) -> None:
    """RGB or grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    assert cv2.imwrite(str(path), ordered)


def _picture(seed: int = 0) -> NDArray[np.uint8]:
    """Lit tissue without a border."""
    return np.random.default_rng(seed).integers(120, 200, (HEIGHT, WIDTH, 3), np.uint8)


def _box(value: int, columns: slice, rows: slice = slice(10, 30)) -> NDArray[np.uint8]:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[rows, columns] = value
    return mask


@pytest.fixture
def endomapper(tmp_path: Path) -> Path:
    folder = tmp_path / "em"
    for number in (3, 7, 45):
        name = f"Seq_001_{number:04d}.png"
        _write(folder / "original" / name, _picture(number))
        _write(folder / "gt" / name, _box(255, slice(5, 20)) | _box(255, slice(30, 50)))
        _write(folder / "inst" / name, _box(9, slice(5, 20)) + _box(4, slice(30, 50)))
    return folder


@pytest.fixture
def foldit(tmp_path: Path) -> Path:
    folder = tmp_path / "foldit"
    for number in range(2):
        grey = np.full((HEIGHT, WIDTH, 3), 80 + 20 * number, np.uint8)
        painted = grey.copy()
        painted[10:30, 5:20, 1:], painted[10:30, 40:50, 1:] = 5, 5
        _write(folder / "testB" / f"{number}.png", grey)
        _write(folder / "testC" / f"{number}.png", painted)
        _write(folder / "testA" / f"real{number}.png", _picture(number))
    return folder


@pytest.fixture
def segcol(tmp_path: Path) -> Path:
    folder = tmp_path / "segcol"
    clip = folder / "Seq_003_35920"
    labels = _box(255, slice(10, 13)) + _box(128, slice(40, 60))
    lines = {"colon_folds": {"a": [[11.5, 10.5], [11.5, 30.5]]}, "balloon": {"filled": [[1, 2]]}}
    for number in range(2):
        _write(clip / "imgs" / f"frame_{number:04d}.png", _picture(number))
        _write(clip / "segm_maps" / f"Seq_003_35920_segm_map_{number}.png", labels)
        path = clip / "json_files" / f"Seq_003_35920_frame_{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"metadata": {}, "annotations": {"0": "", **lines}}))
    return folder


@pytest.fixture
def polyps(tmp_path: Path) -> Path:
    folder = tmp_path / "hyper-kvasir" / "segmented-images"
    for number in range(6):
        _write(folder / "images" / f"{number}.jpg", _picture(number))
        _write(folder / "masks" / f"{number}.jpg", _box(255, slice(10, 30)))
    return folder.parent


@pytest.fixture
def recorded(tiny_set: Path, tmp_path: Path) -> Callable[[str], Path]:
    def write(layout: str) -> Path:
        export_set(SimulatedSet(tiny_set), tmp_path / layout, layout)
        return tmp_path / layout

    return write


@pytest.fixture(params=sorted(TEST_SETS.keys() - {"simulated"}))
def written(request: pytest.FixtureRequest) -> TestSettings:
    kind = request.param
    if kind in ("c3vd", "simcol3d"):
        folder = request.getfixturevalue("recorded")(kind)
    else:
        folder = request.getfixturevalue(kind)
    return TestSettings("theirs", kind, str(folder))


def test_every_layout_gives_whole_frames(written: TestSettings) -> None:
    found = open_test_set(written)
    names = [sequence.name for sequence in found.sequences]
    assert len(set(names)) == len(names)
    for sequence in found.sequences:
        assert isinstance(sequence, LabelledSequence)
        frame = sequence[0]
        known = [frame.fold, frame.instances, frame.edge, frame.absent]
        assert [each.any() for each in known if each is not None]
        for each in (frame.valid, *known):
            assert each is None or each.shape == frame.image.shape[:2]


def test_a_folder_of_something_else_is_refused(written: TestSettings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        with pytest.raises(RecipeError):
            open_test_set(TestSettings("x", written.kind, str(tmp_path / folder)))


def _first(kind: str, folder: Path, split: str = "test") -> LabelledFrame:
    return open_test_set(TestSettings("x", kind, str(folder), split)).sequences[0][0]


def test_frames_of_the_papers_set_are_grouped_by_their_numbers(endomapper: Path) -> None:
    found = open_test_set(TestSettings("EM", "endomapper", str(endomapper)))
    assert [len(sequence) for sequence in found.sequences] == [2, 1]


def test_instances_are_numbered_from_one(endomapper: Path) -> None:
    frame = _first("endomapper", endomapper)
    assert frame.instances is not None and frame.fold is not None
    assert (frame.instances[20, 10], frame.instances[20, 40], frame.instances[0, 0]) == (2, 1, 0)
    assert np.array_equal(frame.instances > 0, frame.fold)


def test_coloured_instances_are_read_alike(endomapper: Path) -> None:
    coloured = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    coloured[10:30, 5:20], coloured[10:30, 30:50] = (255, 0, 10), (0, 90, 0)
    for path in (endomapper / "inst").iterdir():
        _write(path, coloured)
    frame = _first("endomapper", endomapper)
    assert frame.instances is not None
    assert sorted(np.unique(frame.instances)) == [0, 1, 2]
    assert frame.instances[20, 10] != frame.instances[20, 40]


def test_the_papers_set_needs_no_instances(endomapper: Path) -> None:
    for path in (endomapper / "inst").iterdir():
        path.unlink()
    (endomapper / "inst").rmdir()
    frame = _first("endomapper", endomapper)
    assert frame.instances is None and frame.fold is not None


def test_a_mask_of_zeros_and_ones_is_a_mask(endomapper: Path) -> None:
    for path in (endomapper / "gt").iterdir():
        _write(path, _box(1, slice(5, 20)) | _box(1, slice(30, 50)))
    frame = _first("endomapper", endomapper)
    assert frame.fold is not None and frame.fold.sum() == 20 * 35


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "gt" / "Seq_001_0003.png").unlink(), "has no Seq_001_0003"),
        (
            lambda folder: _write(folder / "inst" / "Seq_001_0003.png", _box(1, slice(50, 60))),
            "different places",
        ),
        (lambda folder: _write(folder / "inst" / "Seq_001_0003.png", _picture()), "too many"),
        (
            lambda folder: _write(folder / "gt" / "Seq_001_0003.png", np.ones((9, 9), np.uint8)),
            "9×9",
        ),
        (lambda folder: (folder / "original" / "Seq_001_0003.png").write_text("x"), "readable"),
        (lambda folder: (folder / "gt").rename(folder / "truth"), "no gt/"),
    ],
)
def test_a_damaged_test_set_of_the_paper_is_explained(
    endomapper: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(endomapper)
    with pytest.raises(RecipeError, match=said):
        _first("endomapper", endomapper)


def test_red_of_dark_folds_counts_as_red_and_grey_does_not() -> None:
    row = [[[100, 10, 5], [30, 2, 2], [100, 60, 60], [100, 100, 100], [6, 0, 0]]]
    assert red_folds(np.array(row, np.uint8)).tolist() == [[True, True, False, False, False]]


def test_red_folds_are_folds_each_with_its_number(foldit: Path) -> None:
    frame = _first("foldit", foldit)
    assert frame.instances is not None and frame.fold is not None
    assert frame.fold.sum() == 20 * 15 + 20 * 10
    assert frame.instances.max() == 2
    assert (frame.image == 80).all()


def test_renderings_of_other_names_are_paired_by_order(foldit: Path) -> None:
    for path in (foldit / "testC").iterdir():
        path.rename(path.with_name(f"fold_{path.name}"))
    assert len(open_test_set(TestSettings("x", "foldit", str(foldit)))) == 2


def test_renderings_that_do_not_belong_together_are_noticed(foldit: Path) -> None:
    for path in (foldit / "testB").iterdir():
        _write(path, np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    with pytest.raises(RecipeError, match="painted"):
        _first("foldit", foldit)


def test_the_missing_folder_of_another_split_is_named(foldit: Path) -> None:
    with pytest.raises(RecipeError, match="trainB"):
        _first("foldit", foldit, "train")
    (foldit / "testC" / "1.png").unlink()
    with pytest.raises(RecipeError, match="2 pictures"):
        _first("foldit", foldit)


def test_fold_edges_are_read_and_tools_are_not(segcol: Path) -> None:
    frame = _first("segcol", segcol)
    assert frame.edge is not None and frame.fold is None
    assert np.array_equal(frame.edge, _box(1, slice(10, 13)) > 0)


def test_polylines_stand_in_for_a_map(segcol: Path) -> None:
    for path in (segcol / "Seq_003_35920" / "segm_maps").iterdir():
        path.unlink()
    frame = _first("segcol", segcol)
    assert frame.edge is not None
    assert frame.edge[11:30, 10:13].all()
    assert frame.edge.sum() < 25 * 5


def test_one_clip_can_be_named_itself(segcol: Path) -> None:
    clip = segcol / "Seq_003_35920"
    assert len(open_test_set(TestSettings("x", "segcol", str(clip)))) == 2


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"annotations": {"colon_folds": {"a": [[1, "x"]]}}}', '{"annotations": 3}']
)
def test_damaged_polylines_are_explained(segcol: Path, text: str) -> None:
    clip = segcol / "Seq_003_35920"
    for path in (clip / "segm_maps").iterdir():
        path.unlink()
    (clip / "json_files" / "Seq_003_35920_frame_0.json").write_text(text)
    with pytest.raises(RecipeError, match="damaged"):
        _first("segcol", segcol)


def test_a_frame_without_any_label_is_named(segcol: Path) -> None:
    _write(segcol / "Seq_003_35920" / "imgs" / "frame_0009.png", _picture())
    with pytest.raises(RecipeError, match="frame_0009"):
        open_test_set(TestSettings("x", "segcol", str(segcol)))


def test_polyps_are_known_to_be_no_folds(polyps: Path) -> None:
    frame = _first("polyps", polyps, "all")
    assert frame.fold is None and frame.absent is not None
    assert frame.absent[15:25, 12:28].all() and not frame.absent[:, 40:].any()


def test_only_the_unseen_half_is_tested(polyps: Path) -> None:
    sizes = {
        split: len(open_test_set(TestSettings("x", "polyps", str(polyps), split)))
        for split in ("test", "train", "all")
    }
    unseen = sum(half_of(str(number)) is Half.TEST for number in range(6))
    assert sizes == {"test": unseen, "train": 6 - unseen, "all": 6}
    with pytest.raises(RecipeError, match="Choose one of"):
        _first("polyps", polyps, "exam")


@pytest.mark.parametrize("layout", ["c3vd", "simcol3d"])
def test_recordings_of_our_own_keep_their_folds(
    recorded: Callable[[str], Path], layout: str
) -> None:
    found = open_test_set(TestSettings("x", layout, str(recorded(layout))))
    assert len(found.sequences) == 5
    frame = found.sequences[0][1]
    assert found.sequences[0].is_video
    assert frame.fold is not None and frame.fold.any() and frame.viewpoint is not None
    assert frame.instances is not None and frame.instances.any()


def test_a_jump_in_depth_is_an_edge_on_its_near_side() -> None:
    depth = np.full((64, 64), 60, np.float32)
    depth[:, :30], depth[:8] = 20, 0
    edge = depth_edges(depth, Pinhole(64, 64, 40.0, 40.0, 31.5, 31.5))
    assert edge[20:60, 28:30].all()
    assert not edge[:, 30:].any() and not edge[:, :24].any() and not edge[:8].any()


@pytest.mark.skipif(not PHANTOM.is_dir(), reason="the phantom's frames are not on this machine")
def test_the_real_phantom_has_edges_and_its_thinned_out_frames_are_no_video() -> None:
    found = open_test_set(TestSettings("phantom", "c3vd", str(PHANTOM)))
    frame = found.sequences[0][0]
    assert not found.sequences[0].is_video and frame.fold is None
    assert frame.edge is not None and 0.001 < frame.edge[frame.valid].mean() < 0.1
    assert frame.viewpoint is not None and frame.valid.mean() > 0.5
