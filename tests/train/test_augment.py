from __future__ import annotations

import numpy as np
import pytest

from train.augment import Warp, perturb


@pytest.mark.parametrize("seed", range(5))
def test_picture_and_labels_move_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:40, 10:30] = 1
    warp = Warp.draw(rng, 64)
    image = warp.image(np.repeat(mask[..., None] * np.uint8(255), 3, axis=2))
    label = warp.labels(mask[..., None])[..., 0]
    assert (label != (image[..., 0] > 127)).mean() < 0.02


def test_labels_stay_zero_or_one() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (64, 64, 4)).astype(np.uint8)
    assert set(np.unique(Warp.draw(rng, 64).labels(labels))) <= {0, 1}


def test_about_half_of_the_warps_mirror() -> None:
    rng = np.random.default_rng(0)
    signs = [np.linalg.det(Warp.draw(rng, 64).matrix[:, :2]) < 0 for _ in range(200)]
    assert 0.4 < np.mean(signs) < 0.6


def test_outside_the_source_nothing_is_valid() -> None:
    warp = Warp(np.array([[0.5, 0, 16], [0, 0.5, 16]]))
    assert warp.labels(np.ones((64, 64, 1), np.uint8))[0, 0, 0] == 0


def test_black_stays_black_when_perturbed_unless_erased() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    image[:16] = 0
    for seed in range(8):
        changed, visible = perturb(image, np.random.default_rng(seed))
        far_from_border = changed[:6][visible[:6]]
        assert far_from_border.size == 0 or far_from_border.mean() < 12


def test_erased_places_are_marked_as_unseen() -> None:
    image = np.full((64, 64, 3), 120, np.uint8)
    seen = [perturb(image, np.random.default_rng(seed))[1].mean() for seed in range(20)]
    assert min(seen) < 1.0


def test_depth_moves_with_the_picture_and_is_never_mixed() -> None:
    depth = np.zeros((32, 32), np.float32)
    depth[:, 16:] = 7.5
    warp = Warp.draw(np.random.default_rng(4), 32)
    moved = warp.nearest(depth)
    assert set(np.unique(moved)) == {np.float32(0), np.float32(7.5)}
    as_labels = warp.labels((depth > 0).astype(np.uint8)[..., None])[..., 0]
    assert np.array_equal(moved > 0, as_labels > 0)
