from __future__ import annotations

import math

import pytest
import torch

from train.losses.depth_supervision import (
    SupervisionWeights,
    depth_supervision,
    gradient_matching,
    root_scale_invariant,
)

ALL = torch.ones(1, 2, 2, dtype=torch.bool)


def test_the_root_of_a_constant_error_is_what_scale_invariance_leaves_of_it() -> None:
    error = torch.full((1, 2, 2), math.log(2))
    # mean(e²) - 0.75·(mean e)² = 0.25·ln(2)²
    assert root_scale_invariant(error, ALL, 0.75).item() == pytest.approx(math.log(2) / 2, abs=1e-5)


def test_a_global_factor_is_free_at_full_invariance() -> None:
    error = torch.full((1, 2, 2), 0.7)
    assert root_scale_invariant(error, ALL, 1.0).item() == pytest.approx(0, abs=2e-3)


def test_the_root_is_taken_picture_by_picture() -> None:
    error = torch.tensor([1.0, 3.0])[:, None, None].expand(2, 2, 2)
    assert root_scale_invariant(error, ALL.expand(2, 2, 2), 0.0).item() == pytest.approx(
        2, abs=1e-5
    )


def test_pictures_without_a_valid_pixel_do_not_count() -> None:
    valid = torch.stack([ALL[0], ~ALL[0]])
    error = torch.ones(2, 2, 2)
    assert root_scale_invariant(error, valid, 0.0).item() == pytest.approx(1, abs=1e-5)


def test_gradients_are_compared_where_both_neighbours_are_valid() -> None:
    error = torch.tensor([[[0.0, 1.0], [5.0, 3.0]]])
    # |1-0| + |3-5| across, |5-0| + |3-1| down, over 4 pixels
    assert gradient_matching(error, ALL, 1).item() == pytest.approx(10 / 4)
    one_unknown = torch.tensor([[[True, True], [False, True]]])
    assert gradient_matching(error, one_unknown, 1).item() == pytest.approx((1 + 2) / 3)


def test_each_scale_keeps_every_second_pixel() -> None:
    error = torch.zeros(1, 4, 4)
    error[:, :, 2:] = 1.0
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    # one step a row: 4 of 16 pixels; then 2 of 4
    assert gradient_matching(error, valid, 2).item() == pytest.approx(4 / 16 + 2 / 4)


def test_a_perfect_prediction_costs_next_to_nothing_and_unknown_pixels_nothing() -> None:
    truth = torch.tensor([[[10.0, 20.0], [40.0, 0.0]]])
    log_depth = truth.clamp_min(1e-9).log().requires_grad_()
    terms = depth_supervision(log_depth, truth, SupervisionWeights())
    assert sum(float(term.detach()) for term in terms.values()) == pytest.approx(0, abs=2e-3)
    torch.stack(list(terms.values())).sum().backward()
    assert log_depth.grad is not None
    assert log_depth.grad[0, 1, 1] == 0
    assert log_depth.grad.isfinite().all()
