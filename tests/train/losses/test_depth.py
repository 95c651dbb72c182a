"""Equation (1) by hand: ln 2 = 0.6931, ln 1.5 = 0.4055."""

import pytest
import torch
from torch import Tensor

from train.losses.depth import (
    DepthLossOptions,
    DepthPrediction,
    align,
    as_released,
    depth_consistency,
    scale_invariant,
)

ALL = torch.ones(1, 8, 8, dtype=torch.bool)
HALVES = torch.cat([torch.full((1, 8, 4), 1.5), torch.full((1, 8, 4), 1 / 1.5)], dim=2)


def truth() -> Tensor:
    """(1, 8, 8) mm, no two columns or rows alike."""
    return 10 + 3 * torch.arange(8.0)[None, :, None] + torch.arange(8.0)[None, None, :]


def loss(values: Tensor, variant: str, *, is_inverse: bool = False, valid: Tensor = ALL) -> float:
    options = DepthLossOptions(variant)
    count = len(values)
    return depth_consistency(
        DepthPrediction(values, is_inverse),
        truth().expand(count, 8, 8),
        valid.expand(count, 8, 8),
        options,
    ).item()


@pytest.mark.parametrize(("variant", "expected"), [("paper", 0.2402), ("published", 0.2402)])
def test_a_global_factor_of_two_costs_half_its_square(variant: str, expected: float) -> None:
    assert loss(2 * truth(), variant) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("variant", "expected"), [("paper", 0.1644), ("published", 0.0822), ("robust", 0.1644)]
)
def test_half_too_far_and_half_too_near(variant: str, expected: float) -> None:
    assert loss(truth() * HALVES, variant) == pytest.approx(expected, abs=2e-4)


def test_robust_ignores_a_global_scale() -> None:
    assert loss(7.3 * truth(), "robust") == pytest.approx(0, abs=1e-6)


def test_robust_ignores_scale_and_shift_of_inverse_depth() -> None:
    assert loss(40 / truth() + 2.5, "robust", is_inverse=True) == pytest.approx(0, abs=1e-6)


def test_robust_punishes_structure_in_inverse_depth() -> None:
    assert loss(40 / (truth() * HALVES) + 2.5, "robust", is_inverse=True) > 0.05


def test_robust_does_not_turn_a_map_over_to_make_it_fit() -> None:
    assert loss(10 - 40 / truth(), "robust", is_inverse=True) > 0.02


def test_what_is_not_valid_does_not_count() -> None:
    valid = ALL.clone()
    valid[..., 0] = False
    spoilt = truth()
    spoilt[..., 0] = 1e4
    assert loss(spoilt, "robust", valid=valid) == pytest.approx(0, abs=1e-6)
    assert loss(spoilt, "paper", valid=valid) == pytest.approx(0, abs=1e-6)


def test_pictures_count_alike_whatever_the_batch() -> None:
    both = torch.cat([truth() * HALVES, 5 * truth()])
    single = loss(truth() * HALVES, "robust")
    assert loss(both, "robust") == pytest.approx(single / 2, abs=1e-6)


def test_a_picture_without_a_valid_pixel_costs_nothing() -> None:
    nothing = torch.zeros_like(ALL)
    assert loss(truth() * HALVES, "robust", valid=nothing) == 0


def test_a_zero_weighs_no_more_than_the_floor_lets_it() -> None:
    inverse = 40 / truth()
    inverse[0, 3, 3] = 0
    values = inverse.requires_grad_()
    depth_consistency(DepthPrediction(values, True), truth(), ALL).backward()
    assert values.grad is not None
    share = values.grad.abs().max() / values.grad.abs().sum()
    assert torch.isfinite(values.grad).all()
    assert share < 0.5


def test_one_zero_pixel_of_256_squared_costs_0_0038_in_print() -> None:
    one = torch.ones(1, 256, 256)
    zero = one.clone()
    zero[0, 0, 0] = 0
    error = torch.log(zero + 1e-7) - torch.log(one + 1e-7)
    found = scale_invariant(error, torch.ones(1, 256, 256, dtype=torch.bool), 0.5)
    assert found.item() == pytest.approx(0.0038, abs=2e-4)


def test_alignment_by_hand() -> None:
    # Fit a·x + b to (1, 3), (2, 5), (3, 7): a = 2, b = 1; the last one does not count.
    x, y = (torch.tensor([[values]]) for values in ([1.0, 2, 3, 9], [3.0, 5, 7, 0]))
    valid = torch.tensor([[[True, True, True, False]]])
    assert align(x, y, valid)[0, 0, :3].tolist() == pytest.approx([3, 5, 7])


def test_released_depth_runs_from_0_near_to_1_far() -> None:
    assert as_released(torch.tensor([[4.0, 2.0, 3.0]])).tolist() == [[0.0, 1.0, 0.5]]


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(ValueError, match="printed"):
        loss(truth(), "printed")
