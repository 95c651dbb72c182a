from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError, RecordingError
from engine.types import FoldInstance, Image
from train.real import Half, half_of, read_image
from train.real_sheet import SheetPlaces, choose_frames, unseen_views, write_sheets
from train.tally import read_tally


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    names = [f"kvasir_seg/images/{number}.jpg" for number in range(30)]
    names += [f"kvasir_seg/polyp_masks/{number}.png" for number in range(30)]
    names += [f"bkai_neopolyp/images/{number}.jpg" for number in range(3)]
    names += ["polypgen/images/p.jpg", "cp_child_mucosa/CP-CHILD-B_1.jpg"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.full((30, 40, 3), 120, np.uint8))
    return folder


def _square(image: Image) -> Sequence[FoldInstance]:
    corners = np.array([[5, 5], [25, 5], [25, 20], [5, 20]], np.float32)
    return (FoldInstance(1, 0, corners, 300.0, 0.9),)


def test_no_frame_that_may_be_trained_on_is_ever_shown(real: Path) -> None:
    frames = choose_frames(real)
    assert {frame.path.parts[-3] for frame in frames} == {"kvasir_seg", "bkai_neopolyp"}
    kvasir = [frame for frame in frames if "kvasir_seg" in frame.path.parts]
    assert all(half_of(frame.path.stem) is Half.TEST for frame in kvasir)


def test_sets_take_turns_until_one_has_no_more(real: Path) -> None:
    sets = [frame.path.parts[-3] for frame in choose_frames(real, 8)]
    assert sets == ["kvasir_seg", "bkai_neopolyp"] * 3 + ["kvasir_seg"] * 2


def test_the_choice_follows_the_seed(real: Path) -> None:
    assert choose_frames(real, 6) == choose_frames(real, 6) != choose_frames(real, 6, seed=2)


def test_all_are_shown_where_there_are_fewer_than_asked_for(real: Path) -> None:
    assert len(choose_frames(real, 1000)) == sum(len(each) for each in unseen_views(real).values())


def test_sheets_and_an_empty_tally_of_the_same_frames_are_written(
    real: Path, tmp_path: Path
) -> None:
    pages = write_sheets(_square, SheetPlaces(real, tmp_path / "out"), count=9)
    lines = read_tally(tmp_path / "out" / "tally.csv")
    assert [line.file for line in lines] == [
        frame.path.relative_to(real).as_posix() for frame in choose_frames(real, 9)
    ]
    (page,) = [read_image(path) for path in pages]
    assert page.shape == (3 * 320, 4 * 640, 3)


def test_folds_are_painted_on_the_right_and_the_left_stays_bare(real: Path, tmp_path: Path) -> None:
    (path,) = write_sheets(_square, SheetPlaces(real, tmp_path / "out"), count=1)
    tile = read_image(path)[:320, :640].astype(int)
    assert abs(tile[20:200, 20:300] - 120).max() < 8
    assert abs(tile[20:200, 340:620] - 120).max() > 60


def test_real_frames_stay_out_of_repositories(real: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(RecordingError, match="repository"):
        write_sheets(_square, SheetPlaces(real, tmp_path / "runs" / "out"))
    assert not (tmp_path / "runs").exists()


def test_a_folder_without_unseen_frames_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no unseen real views"):
        choose_frames(tmp_path)
