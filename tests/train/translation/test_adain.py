import pytest
import torch

from tests.train.translation.batches import random_batch
from train.networks.adain import TAPS, statistics
from train.translation.adain import Adain, AdainOptions, StyleMemory

BATCH = random_batch()


def still(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """Learn nothing."""


def test_the_default_style_is_the_mean_of_all_pictures() -> None:
    default = StyleMemory(1)
    default.gather(torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]]))
    default.gather(torch.tensor([[[8.0], [9.0]]]))
    assert default.mean.flatten().tolist() == pytest.approx([4.0, 5.0])


def test_the_last_styles_are_remembered_oldest_first() -> None:
    memory = StyleMemory(1)
    for number in range(20):
        memory.gather(torch.full((1, 2, 1), float(number)))
    assert memory.last[:, 0, 0].tolist() == list(range(4, 20))


def test_a_random_style_lies_between_two_that_were_seen() -> None:
    adain = Adain(AdainOptions(width=4))
    adain.styles.gather(torch.tensor([1.0, 3.0]).repeat(8)[:, None, None].expand(16, 2, 32))
    styles = adain.random_styles(50, torch.Generator().manual_seed(1))
    assert styles is not None
    assert styles.shape == (50, 64)
    assert 1 <= styles.min() < 1.5
    assert 2.5 < styles.max() <= 3


def test_examples_and_their_statistics_are_the_same_style() -> None:
    adain = Adain(AdainOptions(width=4)).eval()
    (features,) = adain.encoder.features((BATCH.real + 1) / 2, TAPS[3:4])
    code = statistics(features).flatten(1)
    found = adain.translate(BATCH.simulated, BATCH.real)
    assert torch.allclose(found, adain.translate(BATCH.simulated, code), atol=1e-6)


def test_without_alpha_nothing_of_the_style_is_taken() -> None:
    adain = Adain(AdainOptions(width=4, alpha=0.0)).eval()
    found = adain.translate(BATCH.simulated, BATCH.real)
    assert torch.allclose(found, adain.translate(BATCH.simulated))


def test_the_encoder_does_not_learn() -> None:
    adain = Adain(AdainOptions(width=4))
    assert {
        name.split(".")[0] for name, each in adain.named_parameters() if each.requires_grad
    } == {"decoder"}


def test_odd_sizes_are_kept() -> None:
    adain = Adain(AdainOptions(width=4)).eval()
    assert adain.translate(BATCH.simulated[..., :50, :61]).shape == (2, 3, 50, 61)


def test_a_rate_of_zero_still_gathers_the_style() -> None:
    adain = Adain(AdainOptions(width=4))
    adain.step(BATCH, still)
    assert adain.styles.count == 2
