import math

import pytest
import torch

from train.losses.privileged import depth_error, fold_error


def test_a_factor_of_two_costs_its_logarithm() -> None:
    truth = torch.tensor([[[10.0, 40.0]]])
    seen = torch.ones(1, 1, 2, dtype=torch.bool)
    assert depth_error(torch.log(2 * truth), truth, seen).item() == pytest.approx(math.log(2))


def test_unknown_and_unseen_depth_does_not_count() -> None:
    truth = torch.tensor([[[10.0, 0.0, 10.0]]])
    seen = torch.tensor([[[True, True, False]]])
    found = torch.tensor([[[math.log(10.0), 5.0, 99.0]]])
    assert depth_error(found, truth, seen).item() == pytest.approx(0, abs=1e-6)


def test_folds_that_are_few_weigh_more() -> None:
    # One positive against four negatives: the positive weighs sqrt(4) = 2. Logits 0: log 2 each.
    # Where it is missed by a logit of -1: log(1 + e) · 2 against log(1 + 1/e) · 4, over 6.
    fold = torch.tensor([[[True, False, False, False, False]]])
    seen = torch.ones_like(fold)
    assert fold_error(torch.zeros(1, 1, 5), fold, seen).item() == pytest.approx(math.log(2))
    expected = (2 * math.log(1 + math.e) + 4 * math.log(1 + 1 / math.e)) / 6
    assert fold_error(-torch.ones(1, 1, 5), fold, seen).item() == pytest.approx(expected)
