"""Slope and shift by hand, folded into a head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from train.calibration import calibration_error, reliability
from train.platt import (
    Scaling,
    count_logits,
    fit_scaling,
    reliability_of,
    rescaled,
)


def test_two_logits_by_hand() -> None:
    # Four of five are true at logit 1, two of five at -1: slope + shift = ln 4 and
    # shift - slope = ln 2/3, so slope = (ln 4 + ln 3/2) / 2 = ln 6 / 2, shift = ln (8/3) / 2.
    counts = np.array([[3.0, 2.0], [1.0, 4.0]])
    found = fit_scaling(counts, np.array([-1.0, 1.0]))
    assert found.slope == pytest.approx(np.log(6) / 2, abs=1e-6)
    assert found.shift == pytest.approx(np.log(8 / 3) / 2, abs=1e-6)


def test_a_known_scaling_is_found_again() -> None:
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 4, (500, 400)).astype(np.float32)
    truth = rng.random(logits.shape) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    found = fit_scaling(count_logits(logits, truth, np.ones_like(truth)))
    assert (found.slope, found.shift) == pytest.approx((0.5, -1.0), abs=0.02)


def test_a_probability_is_scaled_by_its_odds() -> None:
    # Odds of 1/4 squared are 1/16, times 2 they are 1/8.
    assert Scaling(2.0, float(np.log(2))).of(0.2) == pytest.approx(1 / 9)


@pytest.mark.parametrize("column", [0, 1])
def test_with_only_one_answer_nothing_is_changed(column: int) -> None:
    counts = np.zeros((2, 2))
    counts[:, column] = 5
    assert fit_scaling(counts, np.array([-1.0, 1.0])) == Scaling()


def test_a_plane_that_is_worse_than_chance_is_left_alone() -> None:
    assert fit_scaling(np.array([[1.0, 4.0], [4.0, 1.0]]), np.array([-1.0, 1.0])) == Scaling()


def test_only_valid_pixels_count() -> None:
    valid = np.array([[True, False]])
    counts = count_logits(np.array([[2.0, 3.0]], np.float32), np.array([[True, True]]), valid)
    assert counts.sum(0).tolist() == [0, 1]


def test_counted_logits_have_the_error_of_their_pixels() -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(0, 3, (64, 64)).astype(np.float32)
    truth, valid = rng.random((2, 64, 64)) < 0.5
    said = (1 / (1 + np.exp(-logits))).astype(np.float32)
    expected = calibration_error(reliability(said, truth, valid))
    found = calibration_error(reliability_of(count_logits(logits, truth, valid), Scaling()))
    assert found == pytest.approx(expected, abs=0.003)


class _Doubling(nn.Module):
    """A head of three planes and, behind it, what the student has: an even enlargement."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        return nn.functional.interpolate(self.head(image), scale_factor=2.0, mode="bilinear")


class _Headless(nn.Module):
    """The same without a `head` that can be found."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = _Doubling()

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.inner(image)
        return found


@pytest.mark.parametrize("kind", [_Doubling, _Headless])
def test_scaled_weights_give_scaled_logits_and_leave_depth_alone(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    network = kind().eval()
    image = torch.rand(1, 3, 8, 8)
    scaled = rescaled(network, (Scaling(2.0, 1.0), Scaling(0.5, -3.0)))
    with torch.no_grad():
        before, after = network(image)[0], scaled(image)[0]
    expected = torch.stack([2 * before[0] + 1, 0.5 * before[1] - 3, before[2]])
    torch.testing.assert_close(after, expected, atol=1e-5, rtol=0)
