from __future__ import annotations

import numpy as np
import pytest

from train.paired import holm, paired_difference, sign_flip_p


def _share(rows: np.ndarray) -> float:
    return float(rows[:, 0].sum() / rows[:, 1].sum())


def _sequences(*hits: int) -> list[np.ndarray]:
    return [np.array([[hit, 10]]) for hit in hits]


def test_a_gain_on_every_sequence_is_sure_however_much_sequences_differ() -> None:
    found = paired_difference(_sequences(1, 4, 8), _sequences(2, 5, 9), _share)
    assert (found.low, found.value, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_gain_on_one_sequence_and_a_loss_on_another_is_unsure() -> None:
    found = paired_difference(_sequences(1, 8), _sequences(3, 7), _share)
    assert (found.low, found.value, found.high) == pytest.approx((-0.1, 0.05, 0.2))


def test_other_sequences_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        paired_difference(_sequences(1, 2), _sequences(1), _share)


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
