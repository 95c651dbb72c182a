"""By hand: for flat pictures c = 1 everywhere, and l is one number at every scale."""

import pytest
import torch
from torch import Tensor

from train.losses.ms_ssim import ms_ssim, structure_loss

DARK, BRIGHT = torch.full((1, 64, 64), 0.2), torch.full((1, 64, 64), 0.6)
# C1 = (0.01 · 2)² = 0.0004; l = (2 · 0.2 · 0.6 + C1) / (0.04 + 0.36 + C1).
LIGHT = 0.2404 / 0.4004


def noise(seed: int) -> Tensor:
    return torch.rand(1, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("is_published", [False, True])
def test_a_picture_is_like_itself(is_published: bool) -> None:
    assert ms_ssim(noise(1), noise(1), is_published=is_published).item() == pytest.approx(1)


def test_brightness_counts_at_the_last_scale_only() -> None:
    assert ms_ssim(DARK, BRIGHT).item() == pytest.approx(LIGHT**0.1333, rel=1e-4)


def test_the_released_code_counts_the_last_scale_four_times() -> None:
    expected = ((1 + LIGHT) / 2) ** (4 * 0.1333)
    assert ms_ssim(DARK, BRIGHT, is_published=True).item() == pytest.approx(expected, rel=1e-4)


def test_weak_contrast_is_told_by_hand() -> None:
    # One window of 11 pixels: b = a / 2, so c = (σ² + C2) / (1.25 σ² + C2) at scale 1; the scales
    # behind it see a flat picture, because the pattern changes from pixel to pixel.
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(32, 32)[None]
    contrast = (1.0 + 0.0036) / (1.25 + 0.0036)
    assert ms_ssim(board, board / 2).item() == pytest.approx(contrast**0.0448, rel=1e-4)


def test_opposite_pictures_have_a_gradient_that_is_a_number() -> None:
    one = noise(1).requires_grad_()
    (1 - ms_ssim(one, -noise(1)).mean()).backward()
    assert one.grad is not None
    assert torch.isfinite(one.grad).all()


def test_half_precision_around_it_changes_nothing() -> None:
    seen = torch.ones(1, 64, 64, dtype=torch.bool)
    one, other = (
        0.5 + 0.02 * noise(seed)[:, None].expand(-1, 3, -1, -1).bfloat16() for seed in (1, 2)
    )
    expected = structure_loss(one.float(), other.float(), seen)
    with torch.autocast("cpu", torch.bfloat16):
        assert structure_loss(one, other, seen).item() == pytest.approx(expected.item(), rel=1e-4)


def test_what_is_not_seen_does_not_count() -> None:
    seen = torch.ones(1, 64, 64, dtype=torch.bool)
    seen[:, :20] = False
    pictures = noise(3)[:, None].expand(-1, 3, -1, -1).clone()
    other = pictures.clone()
    other[:, :, :20] = 0.9
    assert structure_loss(pictures, other, seen).item() == pytest.approx(0, abs=1e-5)
    assert structure_loss(pictures, other, torch.ones_like(seen)).item() > 0.02
