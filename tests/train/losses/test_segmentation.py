"""Every equation against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from train.losses.segmentation import (
    LossWeights,
    absence,
    balance,
    consistency,
    cross_entropy,
    dice,
    supervised,
    weighted_mean,
)

ONES = torch.ones(1, 1, 2)


def test_the_weighted_mean_of_two_and_six_with_weights_three_and_one_is_three() -> None:
    assert weighted_mean(torch.tensor([2.0, 6.0]), torch.tensor([3.0, 1.0])).item() == 3.0


def test_the_mean_over_nothing_is_zero() -> None:
    assert weighted_mean(torch.tensor([5.0]), torch.tensor([0.0])).item() == 0.0


def test_cross_entropy_of_even_odds_is_log_two() -> None:
    value = cross_entropy(torch.zeros(1, 1, 2), torch.tensor([[[0.0, 1.0]]]), ONES)
    assert value.item() == pytest.approx(math.log(2))


def test_cross_entropy_ignores_pixels_without_weight() -> None:
    logits = torch.tensor([[[0.0, 50.0]]])
    value = cross_entropy(logits, torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]))
    assert value.item() == pytest.approx(math.log(2))


def test_dice_at_even_odds_on_one_of_two_pixels() -> None:
    # overlap 0.5, sums 1 + 1: 1 − (2·0.5 + 1) / (1 + 1 + 1) = 1/3
    value = dice(torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]]), ONES)
    assert value.item() == pytest.approx(1 / 3)


def test_dice_does_not_count_pictures_without_target() -> None:
    logits = torch.zeros(2, 1, 2)
    target = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]])
    value = dice(logits, target, torch.ones(2, 1, 2))
    assert value.item() == pytest.approx(1 / 3)


def test_balance_gives_positives_the_root_of_the_ratio() -> None:
    # 1 positive, 4 negatives: root of 4 is 2
    target = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
    assert balance(target, torch.ones(5)).tolist() == [2.0, 1.0, 1.0, 1.0, 1.0]


def test_balance_never_exceeds_its_limit() -> None:
    target = torch.zeros(1000)
    target[0] = 1
    assert balance(target, torch.ones(1000), largest=5.0).max().item() == 5.0


def test_an_unsure_teacher_teaches_nothing() -> None:
    value = consistency(torch.tensor([3.0]), torch.tensor([0.6]), torch.ones(1), confidence=0.5)
    assert value.item() == 0.0


def test_a_sure_teacher_teaches_its_probability() -> None:
    value = consistency(torch.zeros(1), torch.tensor([0.9]), torch.ones(1), confidence=0.5)
    assert value.item() == pytest.approx(math.log(2))


def test_absence_punishes_what_is_called_fold() -> None:
    logits = torch.tensor([0.0, -30.0])
    assert absence(logits, torch.ones(2)).item() == pytest.approx(math.log(2) / 2)


FLAT = torch.ones(1, 1, 1)
"""Distance of networks that do not say any."""


def test_only_the_shape_of_depth_counts_almost_in_full() -> None:
    labels = torch.zeros(1, 4, 8, 8)
    labels[:, 2] = 1
    distance = torch.linspace(10, 80, 64).reshape(1, 8, 8)
    logits = torch.zeros(1, 3, 8, 8)
    logits[:, 2] = distance.log()

    def cost(planes: torch.Tensor) -> float:
        return supervised(planes, labels, distance, LossWeights(depth=1.0))["depth"].item()

    farther, turned = logits.clone(), logits.clone()
    farther[:, 2] += 0.5
    turned[:, 2] = logits[:, 2].flip(1)
    assert cost(logits) == pytest.approx(0, abs=2e-3)
    # sqrt(e^2 - 0.85 e^2) of an even error e = 0.5
    assert cost(farther) == pytest.approx(0.5 * 0.15**0.5, abs=2e-3)
    assert cost(turned) > 2 * cost(farther)


def test_two_planes_have_no_depth_term() -> None:
    terms = supervised(torch.zeros(1, 2, 4, 4), torch.ones(1, 4, 4, 4), FLAT, LossWeights())
    assert "depth" not in terms


def test_pixels_outside_the_field_of_view_never_matter() -> None:
    labels = torch.zeros(1, 4, 4, 4)
    labels[:, 2, :2] = 1
    logits = torch.zeros(1, 2, 4, 4)
    wild = logits.clone()
    wild[:, :, 2:] = 9.0
    calm_terms = supervised(logits, labels, FLAT, LossWeights())
    wild_terms = supervised(wild, labels, FLAT, LossWeights())
    assert {k: v.item() for k, v in wild_terms.items()} == pytest.approx(
        {k: v.item() for k, v in calm_terms.items()}
    )


def test_a_polyp_called_fold_costs_more_than_wall_called_fold() -> None:
    labels = torch.zeros(1, 4, 1, 2)
    labels[:, 2] = 1
    labels[:, 3, 0, 0] = 1
    on_polyp = torch.tensor([4.0, -4.0]).expand(1, 2, 1, 2)
    on_wall = torch.tensor([-4.0, 4.0]).expand(1, 2, 1, 2)
    costs = [
        supervised(logits, labels, FLAT, LossWeights())["region_entropy"]
        for logits in (on_polyp, on_wall)
    ]
    assert costs[0] > costs[1]
