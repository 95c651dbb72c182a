from __future__ import annotations

import numpy as np
import pytest

from train.augment import Warp, borrow_amplitudes, perturb, retone


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


def test_borrowing_the_mean_alone_is_a_shift_of_brightness() -> None:
    image = np.full((8, 8, 3), 100, np.uint8)
    image[:, 4:] = 120
    lender = np.full((8, 8, 3), 150, np.uint8)
    # Mean 110 becomes 150: every value rises by 40.
    changed = borrow_amplitudes(image, lender, 0)
    assert abs(changed.astype(int) - (image.astype(int) + 40)).max() <= 1


def test_borrowing_leaves_fast_edges_where_they_were() -> None:
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(60, 200, (32, 32, 3)), np.ones((2, 2, 1))).astype(np.uint8)
    lender = np.full((64, 64, 3), (180, 90, 60), np.uint8)
    changed = borrow_amplitudes(image, lender, 3).astype(float)
    steps, changed_steps = np.diff(image.astype(float), axis=1), np.diff(changed, axis=1)
    assert np.corrcoef(steps.ravel(), changed_steps.ravel())[0, 1] > 0.97


def test_borrowing_from_oneself_changes_nothing() -> None:
    image = np.random.default_rng(1).integers(1, 256, (32, 32, 3)).astype(np.uint8)
    assert abs(borrow_amplitudes(image, image, 4).astype(int) - image).max() <= 1


def test_borrowed_waves_are_those_of_the_whole_transform() -> None:
    rng = np.random.default_rng(2)
    image, lender = rng.integers(90, 160, (2, 24, 16, 3)).astype(np.uint8)
    waves, lent = (np.fft.fft2(each, axes=(0, 1)) for each in (image, lender))
    slow = np.ix_([0, 1, 2, -1, -2], [0, 1, 2, -1, -2])
    waves[slow] = abs(lent[slow]) * np.exp(1j * np.angle(waves[slow]))
    wanted = np.fft.ifft2(waves, axes=(0, 1)).real
    assert abs(borrow_amplitudes(image, lender, 2) - wanted).max() < 1.01


def test_black_stays_black_whatever_is_borrowed_or_retoned() -> None:
    image = np.full((32, 32, 3), 90, np.uint8)
    image[:8] = 0
    lender = np.full((32, 32, 3), 200, np.uint8)
    assert borrow_amplitudes(image, lender, 2)[:8].max() == 0
    assert retone(image, np.random.default_rng(0))[:8].max() == 0


def test_retoning_keeps_the_order_of_brightness() -> None:
    ramp = np.repeat(np.arange(0, 250, 10, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(5):
        toned = retone(np.ascontiguousarray(ramp), np.random.default_rng(seed)).astype(int)
        assert (np.diff(toned, axis=1) >= 0).all()
