from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import SourceError
from train.real import Half, RealFrame, RealKind, half_of, place_frame, read_image, real_frames

REAL = Path(__file__).resolve().parents[2] / "../shared/data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stand-in for the real folder, with forbidden sets beside the allowed ones."""
    picture = np.full((60, 80, 3), 150, np.uint8)
    names = [
        *(f"kvasir_seg/images/{n}.jpg" for n in "abcdefgh"),
        "polypgen/images/p.jpg",
        "cp_child_mucosa/CP-CHILD-A_Train_1.jpg",
        "cp_child_mucosa/CP-CHILD-B_Train_1.jpg",
        "cvc_clinicdb/images/1.jpg",
        "bkai_neopolyp/images/1.jpg",
        "c3vd_phantom/1.jpg",
    ]
    names += [f"kvasir_seg/polyp_masks/{n}.png" for n in "abcdefgh"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = np.zeros_like(picture)
        mask[20:40, 30:50] = 255
        cv2.imwrite(str(path), mask if "masks" in name else picture)
    return tmp_path


def test_only_allowed_sets_are_ever_listed(folder: Path) -> None:
    sets = {frame.path.relative_to(folder).parts[0] for frame in real_frames(folder)}
    assert sets == {"kvasir_seg", "polypgen", "cp_child_mucosa"}


def test_no_frame_is_in_both_halves(folder: Path) -> None:
    training = {frame.path for frame in real_frames(folder, Half.TRAINING)}
    test = {frame.path for frame in real_frames(folder, Half.TEST)}
    assert training and test and not training & test


def test_cp_child_b_is_never_trained_on(folder: Path) -> None:
    names = [frame.path.name for frame in real_frames(folder, Half.TRAINING)]
    assert not [name for name in names if name.startswith("CP-CHILD-B")]


def test_the_split_is_the_published_one() -> None:
    """Another hash would move trained frames into the test."""
    assert [half_of(name) for name in "abcd"] == [
        Half.TRAINING,
        Half.TRAINING,
        Half.TRAINING,
        Half.TRAINING,
    ]


def test_about_half_of_all_names_train() -> None:
    halves = [half_of(f"frame {number}") for number in range(1000)]
    assert 450 < halves.count(Half.TRAINING) < 550


def test_an_absent_folder_has_no_frames(tmp_path: Path) -> None:
    assert real_frames(tmp_path / "nowhere") == []


def test_a_polyp_is_known_not_to_be_fold(folder: Path) -> None:
    frame = next(f for f in real_frames(folder) if f.kind is RealKind.POLYP)
    placed = place_frame(frame, 64)
    assert 0.05 < placed.absent.mean() < 0.12


def test_flat_mucosa_is_known_to_hold_no_fold_anywhere(folder: Path) -> None:
    frame = next(f for f in real_frames(folder) if f.kind is RealKind.FLAT)
    placed = place_frame(frame, 64)
    assert (placed.absent == placed.valid).all()


def test_a_file_that_is_no_picture_is_explained(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("no picture")
    with pytest.raises(SourceError, match="not a readable picture"):
        read_image(tmp_path / "x.jpg")


@pytest.mark.skipif(not REAL.is_dir(), reason="the real frames are not on this machine")
def test_a_real_frame_is_placed_with_its_border_black() -> None:
    path = sorted((REAL / "polypgen/images").iterdir())[0]
    placed = place_frame(RealFrame(path, RealKind.UNLABELLED, Half.TRAINING), 256)
    assert placed.valid.mean() > 0.4
    assert not placed.image[~placed.valid].any()
