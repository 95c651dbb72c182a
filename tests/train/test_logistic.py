"""Weights by hand."""

from __future__ import annotations

import numpy as np
import pytest

from train.logistic import fit_logistic, sigmoid


def test_a_logit_is_the_logarithm_of_odds() -> None:
    assert sigmoid(np.log([1 / 4, 1.0, 3.0])) == pytest.approx([0.2, 0.5, 0.75])
    assert sigmoid(np.array([-1e6, 1e6])) == pytest.approx([0, 1])


def test_the_weight_of_one_constant_is_the_logit_of_its_share() -> None:
    rows = np.ones((2, 1))
    found = fit_logistic(rows, np.array([3.0, 1.0]), np.array([3.0, 0.0]), np.array([1e-9]))
    assert found == pytest.approx([np.log(3)])


def test_a_ridge_holds_back_what_would_grow_without_end() -> None:
    # All are true, and w = (1 - sigmoid(w)) / ridge: for w = 2 that ridge is 0.0596.
    ridge = (1 - sigmoid(np.array([2.0]))) / 2
    assert fit_logistic(np.ones((1, 1)), np.ones(1), np.ones(1), ridge) == pytest.approx([2.0])
