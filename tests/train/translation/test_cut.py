"""What PatchNCE holds together, and that mirrored training leaves no mirrored pictures."""

import pytest
import torch

from tests.train.translation.batches import random_batch
from train.translation.cut import Cut, CutOptions, FastCut, FastCutOptions


@pytest.fixture
def cut() -> Cut:
    torch.manual_seed(0)
    return Cut(CutOptions(width=4, blocks=1, patches=64))


def test_a_picture_resembles_itself_more_than_another(cut: Cut) -> None:
    batch = random_batch()
    same = cut.contrast(batch.simulated, batch.simulated, batch.seen)
    other = cut.contrast(batch.simulated, batch.real, batch.seen)
    assert same < 0.8 * other


def test_half_of_the_weight_is_the_identitys(cut: Cut) -> None:
    terms = cut.step(random_batch(), lambda optimiser, loss: None)
    assert set(terms) == {"GAN", "NCE", "NCE identity", "judge"}


def test_a_mirrored_picture_is_compared_with_its_source() -> None:
    torch.manual_seed(0)
    fast = FastCut(FastCutOptions(width=4, blocks=1, patches=64))
    batch = random_batch()
    straight = fast.contrast(batch.simulated, batch.simulated.flip(3), batch.seen)
    fast._is_mirrored = True
    turned = fast.contrast(batch.simulated, batch.simulated.flip(3), batch.seen)
    assert turned < 0.8 * straight


def test_no_translation_is_mirrored() -> None:
    fast = FastCut(FastCutOptions(width=4, blocks=1)).eval()
    pictures = random_batch().simulated
    found = {fast.translate(pictures).sum().item() for _ in range(6)}
    assert len(found) == 1


def test_fastcut_goes_on_at_full_rate_for_longer() -> None:
    assert (Cut(CutOptions(4, 1)).rate(0.75), FastCut(FastCutOptions(4, 1)).rate(0.75)) == (0.5, 1)
