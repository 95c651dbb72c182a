from __future__ import annotations

import numpy as np
import pytest

from train.paired import holm, sign_flip_p


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        # All of one sign: only this and its mirror image of 2^n are as far from 0.
        ([0.1, 0.2, 0.3], 2 / 8),
        ([0.1] * 6, 2 / 64),
        # +3 -1: sums 4, 2, -2, -4; all four are at least 2 from 0.
        ([0.3, -0.1], 1.0),
        ([0.0, 0.0], 1.0),
        ([0.1, float("nan"), 0.2], 2 / 4),
        ([], 1.0),
    ],
)
def test_the_randomisation_test_by_hand(differences: list[float], p: float) -> None:
    assert sign_flip_p(differences) == pytest.approx(p)


def test_many_sequences_are_exchanged_by_chance() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, 40)
    assert sign_flip_p(list(noise + 2)) < 0.001
    assert sign_flip_p(list(noise - noise.mean())) > 0.9


def test_an_exact_and_a_drawn_test_agree() -> None:
    values = [0.4, -0.1, 0.3, 0.2, -0.2, 0.5, 0.1, 0.0]
    doubled = sign_flip_p(values + [0.0] * 10)
    assert doubled == pytest.approx(sign_flip_p(values), abs=0.01)


def test_holm_multiplies_the_smallest_by_their_number_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
