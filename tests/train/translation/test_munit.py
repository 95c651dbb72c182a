import pytest
import torch

from tests.train.translation.batches import random_batch
from train.translation.munit import I2I, I2IOptions, Munit, MunitOptions

TINY = MunitOptions(width=4, blocks=1)


@pytest.fixture
def munit() -> Munit:
    torch.manual_seed(0)
    return Munit(TINY).eval()


def test_a_code_and_an_example_choose_the_style(munit: Munit) -> None:
    batch = random_batch()
    default = munit.translate(batch.simulated)
    one = munit.translate(batch.simulated, torch.ones(2, 8))
    like_real = munit.translate(batch.simulated, batch.real)
    assert not torch.allclose(one, default)
    assert not torch.allclose(like_real, default)


def test_an_example_has_the_style_of_its_code(munit: Munit) -> None:
    batch = random_batch()
    _, code = munit.real.encode(batch.real)
    assert code is not None
    found = munit.translate(batch.simulated, batch.real)
    assert torch.equal(found, munit.translate(batch.simulated, code))


def test_cycles_may_be_left_out() -> None:
    batch = random_batch()
    assert "cycle" in Munit(TINY).generator_terms(batch)
    without = Munit(MunitOptions(width=4, blocks=1, cycle=0.0)).generator_terms(batch)
    assert {"reconstruction", "content", "style"} <= set(without)
    assert "cycle" not in without


def test_the_simulated_side_of_i2i_knows_one_style() -> None:
    i2i = I2I(I2IOptions(munit=TINY))
    _, code = i2i.simulated.encode(random_batch().simulated)
    assert code is None
    assert not any("simulated.mlp" in name for name in i2i.state_dict())


def test_likeness_has_its_weight() -> None:
    batch = random_batch()
    i2i = I2I(I2IOptions(munit=TINY))
    double = I2I(I2IOptions(munit=TINY, likeness_to_real=10.0))
    terms = i2i.structure_terms(batch, batch.real, batch.simulated)
    others = double.structure_terms(batch, batch.real, batch.simulated)
    assert torch.allclose(others["MS-SSIM real"], 2 * terms["MS-SSIM real"])
    assert torch.equal(others["MS-SSIM simulated"], terms["MS-SSIM simulated"])


def test_the_rate_is_halved_in_steps() -> None:
    assert [Munit(TINY).rate(share) for share in (0.05, 0.15, 0.25)] == [1, 0.5, 0.25]
