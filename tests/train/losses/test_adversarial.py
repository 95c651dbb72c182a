import pytest
import torch

from train.losses.adversarial import PicturePool, judgement, least_squares, masked_l1


def test_scores_are_held_against_one_or_zero() -> None:
    scores = torch.tensor([0.5, 2.0])
    assert least_squares(scores, is_real=True).item() == pytest.approx((0.25 + 1.0) / 2)
    assert least_squares(scores, is_real=False).item() == pytest.approx((0.25 + 4.0) / 2)


def test_a_discriminator_halves_both_errors() -> None:
    found = judgement(torch.tensor([0.0]), torch.tensor([1.0]))
    assert found.item() == pytest.approx(1.0)


def test_what_is_not_seen_does_not_differ() -> None:
    one, other = torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    other[..., 0, 0], other[..., 1, 1] = 3.0, 100.0
    seen = torch.tensor([[[True, True], [True, False]]])
    assert masked_l1(one, other, seen).item() == pytest.approx(1.0)
    assert masked_l1(one, other, torch.zeros_like(seen)).item() == 0


def test_a_pool_that_is_not_full_gives_back_what_it_gets() -> None:
    pictures = torch.rand(3, 3, 4, 4)
    assert torch.equal(PicturePool(5).swap(pictures), pictures)


def test_a_full_pool_gives_back_older_pictures_half_of_the_time() -> None:
    pool = PicturePool(4)
    numbered = torch.arange(404.0)[:, None, None, None].expand(404, 3, 1, 1)
    pool.swap(numbered[:4])
    came = pool.swap(numbered[4:])[:, 0, 0, 0]
    older = (came != numbered[4:, 0, 0, 0]).float().mean().item()
    assert 0.4 < older < 0.6
    assert (came <= numbered[4:, 0, 0, 0]).all()


def test_without_a_pool_pictures_pass() -> None:
    pictures = torch.rand(2, 3, 4, 4)
    assert torch.equal(PicturePool(0).swap(pictures), pictures)


def test_a_pool_goes_on_where_its_checkpoint_was_written() -> None:
    pictures = torch.rand(40, 3, 2, 2)
    pool, later = PicturePool(4), PicturePool(4)
    pool.swap(pictures[:20])
    later.load_state_dict(pool.state_dict())
    assert torch.equal(later.swap(pictures[20:]), pool.swap(pictures[20:]))
