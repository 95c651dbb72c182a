from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from train.data import RealSamples, Shares, SimulatedSamples
from train.gallery import Gallery
from train.pasting import Pasted, Patch, paste, paste_some, patches
from train.real import Half, PlacedFrame, half_of
from train.simulate.dataset import SimulatedSet

SIZE = 64
FOLD, EDGE, VALID, HARD = range(4)


def disc(radius: float, size: int = SIZE, x: float = 31.5, y: float = 31.5) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:size, :size]
    return np.asarray(np.hypot(columns - x, rows - y) <= radius)


def placed(polyp: NDArray[np.bool_]) -> PlacedFrame:
    valid = disc(28)
    image = np.where(valid[..., None], (160, 90, 70), 0).astype(np.uint8)
    return PlacedFrame(image, valid, polyp & valid)


def patch_of(radius: float) -> Patch:
    size = int(2 * radius + 10)
    shape = disc(radius, size, (size - 1) / 2, (size - 1) / 2)
    return Patch(np.full((size, size, 3), (200, 60, 60), np.uint8), shape.astype(np.float32))


@pytest.fixture
def picture() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All fold and edge within a disc of grey."""
    valid = disc(28)
    labels = np.stack([valid, valid, valid, np.zeros_like(valid)], 2).astype(np.uint8)
    return (valid[..., None] * np.full(3, 120)).astype(np.uint8), labels


def pastes(picture: tuple[NDArray[np.uint8], NDArray[np.uint8]], patch: Patch) -> list[Pasted]:
    return [paste(*picture, patch, np.random.default_rng(seed)) for seed in range(12)]


def test_a_polyp_is_cut_out_with_a_soft_rim() -> None:
    (patch,) = patches([placed(disc(10))])
    assert patch.alpha.shape == patch.image.shape[:2] == (36, 36)
    assert patch.alpha[18, 18] == pytest.approx(1)
    assert patch.alpha[0].max() < 0.001
    assert ((patch.alpha > 0.1) & (patch.alpha < 0.9)).any()


@pytest.mark.parametrize(
    "polyp",
    [disc(1), disc(20), disc(8, x=58), np.zeros((SIZE, SIZE), bool)],
    ids=["too small", "too large", "cut by the view", "none"],
)
def test_polyps_that_show_too_little_are_left_out(polyp: NDArray[np.bool_]) -> None:
    assert patches([placed(polyp)]) == []


def test_two_polyps_of_a_frame_are_two_patches() -> None:
    assert len(patches([placed(disc(6, x=20) | disc(6, x=44))])) == 2


def test_only_polyps_of_the_training_half_are_cut_out(tmp_path: Path) -> None:
    names = [f"frame {number}" for number in range(12)]
    for name in names:
        for kind, picture in (
            ("images/{}.jpg", disc(40) * 150),
            ("polyp_masks/{}.png", disc(8) * 255),
        ):
            path = tmp_path / "kvasir_seg" / kind.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), cv2.merge([picture.astype(np.uint8)] * 3))
    training = [name for name in names if half_of(name) is Half.TRAINING]
    assert 0 < len(training) < len(names)
    assert len(RealSamples(tmp_path, SIZE, seed=1).polyps()) == len(training)


def test_labels_change_exactly_where_the_polyp_lands(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    for pasted in pastes(picture, patch_of(8)):
        assert pasted.covered.any()
        assert (pasted.labels[pasted.covered] == (0, 0, 1, 1)).all()
        assert (pasted.labels[~pasted.covered] == picture[1][~pasted.covered]).all()


def test_the_polyp_is_seen_where_the_labels_say(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    for pasted in pastes(picture, patch_of(8)):
        redness = pasted.image[..., 0].astype(int) - pasted.image[..., 1]
        rim = cv2.dilate(pasted.covered.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert redness[pasted.covered].min() > 3
        assert not redness[~rim].any()


def test_nothing_changes_outside_the_field_of_view(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    outside = picture[1][..., VALID] == 0
    for pasted in pastes(picture, patch_of(12)):
        assert not pasted.image[outside].any()
        assert not pasted.covered[outside].any()
        assert (pasted.labels[..., VALID] == picture[1][..., VALID]).all()


def test_the_picture_given_is_left_as_it_was(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    before = [each.copy() for each in picture]
    paste(*picture, patch_of(8), np.random.default_rng(0))
    assert (picture[0] == before[0]).all() and (picture[1] == before[1]).all()


def test_the_same_seed_pastes_the_same_bytes(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    one, same, other = (
        paste_some(*picture, [patch_of(5), patch_of(9)], np.random.default_rng(seed))
        for seed in (3, 3, 4)
    )
    assert one.image.tobytes() == same.image.tobytes()
    assert one.labels.tobytes() == same.labels.tobytes()
    assert one.image.tobytes() != other.image.tobytes()


def test_a_patch_larger_than_the_picture_covers_what_is_valid(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    pasted = paste(*picture, patch_of(400), np.random.default_rng(1))
    assert (pasted.covered == (picture[1][..., VALID] > 0)).all()


def test_a_picture_that_shows_nothing_bears_no_polyp(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    pasted = paste(picture[0], picture[1] * 0, patch_of(8), np.random.default_rng(1))
    assert not pasted.covered.any()
    assert (pasted.image == picture[0]).all()


def test_a_polyp_is_as_dark_as_the_wall_around_it(
    picture: tuple[NDArray[np.uint8], NDArray[np.uint8]],
) -> None:
    bright, dark = (
        paste(image, picture[1], patch_of(8), np.random.default_rng(2))
        for image in (picture[0], picture[0] // 2)
    )
    ratio = dark.image[dark.covered].mean() / bright.image[bright.covered].mean()
    assert ratio == pytest.approx(0.5, abs=0.08)


def test_a_sample_with_polyps_knows_no_distance_there(tiny_set: Path) -> None:
    gallery = Gallery(SimulatedSet(tiny_set), "rich", 5)
    plain = SimulatedSamples(gallery, "train", 5)
    pasting = SimulatedSamples(gallery, "train", 5, Shares(pasted=1.0), polyps=[patch_of(8)])
    hidden = [
        ((sample.distance == 0) & (sample.labels[VALID] > 0), sample.labels)
        for sample in (pasting[number] for number in range(4))
    ]
    assert all(where.any() for where, _ in hidden)
    assert all((labels[HARD][where] == 1).all() for where, labels in hidden)
    assert all((labels[FOLD][where] == 0).all() for where, labels in hidden)
    assert (plain[0].distance[plain[0].labels[VALID] > 0] > 0).all()


def test_a_share_of_nothing_pastes_nothing_and_draws_nothing(tiny_set: Path) -> None:
    gallery = Gallery(SimulatedSet(tiny_set), "rich", 5)
    plain = SimulatedSamples(gallery, "train", 5)
    unused = SimulatedSamples(gallery, "train", 5, polyps=[patch_of(8)])
    without = SimulatedSamples(gallery, "train", 5, Shares(pasted=1.0))
    for samples in (unused, without):
        assert torch.equal(samples[2].image, plain[2].image)
        assert torch.equal(samples[2].labels, plain[2].labels)
