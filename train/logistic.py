"""Logistic regression: the weights with which p = sigmoid(weights · inputs) is most likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 100
_LARGEST = 60.0
"""A logit beyond which nothing is surer, and nothing overflows."""


def sigmoid(values: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -_LARGEST, _LARGEST))), np.float64)


def fit_logistic(inputs: Floats, count: Floats, true: Floats, ridge: Floats) -> Floats:
    """(k,) weights: Newton's method on the cross-entropy, which is convex.

    Args:
        inputs: (n, k).
        count: (n,) how often each row was seen, or what it weighs.
        true: (n,) how much of that was true.
        ridge: (k,) above 0, the cost of half a squared weight.
    """
    found = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        said = sigmoid(inputs @ found)
        gradient = inputs.T @ (count * said - true) + ridge * found
        curvature = (inputs * (count * said * (1 - said))[:, None]).T @ inputs + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        # A full step may overshoot where nearly all are sure.
        found -= step * min(1.0, 1.0 / float(np.abs(step).max() + 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return found
