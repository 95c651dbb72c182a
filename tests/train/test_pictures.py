from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.pictures import (
    DeepFeatures,
    block_of,
    disjoint_halves,
    draw_frames,
    place_picture,
    real_pictures,
    simulated_pictures,
    yardstick_frames,
)
from train.real import Half, RealFrame, RealKind, place_frame, real_frames, views
from train.simulate.dataset import SimulatedSet


def still(name: str) -> RealFrame:
    return RealFrame(Path("polypgen/images") / name, RealKind.UNLABELLED, Half.TRAINING)


def write_picture(path: Path, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(60, 220, (60, 80, 3)).astype(np.uint8)
    image[:, :10] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9_endocv2021_positive_3.jpg", "9_endocv2021_positive_845.jpg"),
        ("C3_EndoCV2021_00422.jpg", "C3_EndoCV2021_00439.jpg"),
    ],
)
def test_one_patients_stills_are_one_block(one: str, other: str) -> None:
    assert block_of(still(one).path) == block_of(still(other).path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9_endocv2021_positive_3.jpg", "19_endocv2021_positive_3.jpg"),
        ("C3_EndoCV2021_00422.jpg", "C3_EndoCV2021_00450.jpg"),
        ("cju0qkwl35piu0993l0dewei2.jpg", "cju0qoxqj9q6s0835b43399p4.jpg"),
        ("abc.jpg", "abd.jpg"),
    ],
)
def test_other_stills_are_other_blocks(one: str, other: str) -> None:
    assert block_of(still(one).path) != block_of(still(other).path)


def test_one_number_in_two_data_sets_is_two_blocks() -> None:
    assert block_of(Path("a/images/007.jpg")) != block_of(Path("b/images/007.jpg"))


def test_no_patient_is_in_both_halves() -> None:
    frames = [still(f"{n % 9}_endocv2021_positive_{n}.jpg") for n in range(60)]
    halves = disjoint_halves(frames, np.random.default_rng(1))
    first, second = ({block_of(frame.path) for frame in half} for half in halves)
    assert first and second and not first & second


def test_halving_loses_no_frame() -> None:
    frames = [still(f"{n}.jpg") for n in range(99)]
    halves = disjoint_halves(frames, np.random.default_rng(1))
    assert sorted(map(str, (f.path for half in halves for f in half))) == sorted(
        str(frame.path) for frame in frames
    )


def test_no_frame_is_drawn_twice() -> None:
    drawn = draw_frames([still(f"{n}.jpg") for n in range(10)], 7, np.random.default_rng(1))
    assert len({frame.path for frame in drawn}) == 7


def test_flat_crops_are_no_views(tmp_path: Path) -> None:
    write_picture(tmp_path / "cp_child_mucosa/CP-CHILD-A_1.jpg")
    write_picture(tmp_path / "polypgen/images/1.jpg")
    assert [frame.kind for frame in views(tmp_path)] == [RealKind.UNLABELLED]


def test_a_yardstick_is_measured_and_never_listed_for_training(tmp_path: Path) -> None:
    write_picture(tmp_path / "cvc_clinicdb/images/1.jpg")
    assert len(yardstick_frames(tmp_path, "cvc_clinicdb")) == 1
    assert real_frames(tmp_path) == []


def test_an_absent_yardstick_has_no_frames(tmp_path: Path) -> None:
    assert yardstick_frames(tmp_path, "cvc_clinicdb") == []


def test_a_picture_is_placed_as_a_real_frame_is(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    write_picture(path)
    expected = place_frame(RealFrame(path, RealKind.UNLABELLED, Half.TEST), 64)
    image, valid = place_picture(cv2.imread(str(path))[..., ::-1].copy(), 64)
    assert (image == expected.image).all() and (valid == expected.valid).all()


def test_simulated_pictures_come_from_every_colon(tiny_set: Path) -> None:
    found = simulated_pictures(SimulatedSet(tiny_set), "plain", 10, 1)
    assert np.unique(found.blocks).size == 5


def test_the_same_seed_shades_the_same_pictures(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    first, second = (simulated_pictures(data, "rich", 5, 3) for _ in range(2))
    assert (first.images == second.images).all()


def test_a_set_of_too_few_colons_is_refused(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    data.splits = {"train": ["a", "b"]}
    with pytest.raises(RecipeError, match="fewer than 4 colons"):
        simulated_pictures(data, "rich", 5, 3)


def test_real_pictures_are_black_outside_the_field_of_view(tmp_path: Path) -> None:
    write_picture(tmp_path / "polypgen/images/1.png")
    found = real_pictures("real", views(tmp_path), 64)
    assert not found.images[~found.valid].any()


def test_features_of_a_picture_do_not_depend_on_its_neighbours() -> None:
    images = np.random.default_rng(1).integers(0, 255, (9, 32, 32, 3)).astype(np.uint8)
    features = DeepFeatures(pretrained=False)
    assert features(images)[3:4] == pytest.approx(features(images[3:4]), rel=1e-4, abs=1e-6)


def test_there_are_320_features_of_a_picture() -> None:
    images = np.zeros((2, 64, 64, 3), np.uint8)
    assert DeepFeatures(pretrained=False)(images).shape == (2, 320)
