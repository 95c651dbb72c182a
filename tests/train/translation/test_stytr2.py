import pytest
import torch

from tests.train.translation.batches import random_batch
from train.translation.stytr2 import Example, Stytr, StytrOptions

TINY = StytrOptions(weights="random", width=2, hidden=8, layers=1)
BATCH = random_batch()


def test_the_default_style_is_the_first_real_picture() -> None:
    example = Example()
    example.keep(torch.full((2, 3, 8, 8), 0.25))
    example.keep(torch.full((2, 3, 8, 8), 0.75))
    assert example.picture.unique().tolist() == [0.25]


def test_an_example_gives_its_look() -> None:
    torch.manual_seed(0)
    stytr = Stytr(TINY).eval()
    assert not torch.equal(stytr.translate(BATCH.simulated, BATCH.real),
                           stytr.translate(BATCH.simulated))  # fmt: skip


def test_sizes_need_not_be_whole_patches() -> None:
    found = Stytr(TINY).eval().translate(BATCH.simulated[..., :50, :61], BATCH.real)
    assert found.shape == (2, 3, 50, 61)


def test_vgg_is_no_part_of_the_product() -> None:
    stytr = Stytr(TINY)
    assert not any("vgg" in name for name in stytr.product.state_dict())
    assert not any(weight.requires_grad for weight in stytr.vgg.parameters())


@pytest.mark.parametrize(
    ("step", "rate"), [(0, 5e-5), (5_000, 1.25e-4), (10_000, 2e-4), (110_000, 1e-4)]
)
def test_the_rate_is_that_of_the_reference(step: int, rate: float) -> None:
    assert TINY.learning_rate * Stytr(TINY).rate(step / 160_000) == pytest.approx(rate)
