import pytest
import torch
from torch import Tensor

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from train.losses.depth import DepthPrediction
from train.translation.depth_term import DepthOptions, DepthTerm

BATCH = random_batch()


class Truth:
    """Says of every picture what the simulator knows, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Tensor] = []

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        self.shown.append(pictures)
        return DepthPrediction(BATCH.depth_mm, is_inverse=False)


def test_the_right_depth_costs_nothing() -> None:
    term = DepthTerm(DepthOptions(), Truth())
    assert term(BATCH.simulated, BATCH).item() == pytest.approx(0, abs=1e-5)


def test_a_critic_sees_all_digits() -> None:
    critic = Truth()
    DepthTerm(DepthOptions(), critic)(BATCH.simulated.bfloat16(), BATCH)
    assert critic.shown[0].dtype == torch.float32


def test_a_critic_is_opened_when_it_is_asked_for_and_not_before() -> None:
    term = DepthTerm(DepthOptions(estimator="oracle"))
    with pytest.raises(RecipeError, match="'oracle'"):
        term.open()
