from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from train.losses.depth import DepthPrediction
from train.translation.depth_term import DepthOptions, DepthTerm

BATCH = random_batch()


@dataclass(frozen=True)
class Says:
    """A depth network of one opinion."""

    prediction: DepthPrediction

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        return self.prediction


class Truth:
    """Says of every picture what the simulator knows, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[Tensor] = []

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        self.shown.append(pictures)
        return DepthPrediction(BATCH.depth_mm, is_inverse=False)


def test_the_right_depth_costs_nothing() -> None:
    term = DepthTerm(DepthOptions(), Truth())
    assert term(BATCH.simulated, BATCH)["depth"].item() == pytest.approx(0, abs=1e-5)


def test_a_critic_sees_all_digits() -> None:
    critic = Truth()
    DepthTerm(DepthOptions(), critic)(BATCH.simulated.bfloat16(), BATCH)
    assert critic.shown[0].dtype == torch.float32


def test_a_critic_is_opened_when_it_is_asked_for_and_not_before() -> None:
    term = DepthTerm(DepthOptions(estimator="oracle"))
    with pytest.raises(RecipeError, match="'oracle'"):
        term.open()


def test_normals_of_the_right_depth_cost_nothing_and_of_a_bumpy_one_much() -> None:
    """A wall at right angles to the axis, 20 mm away; depth of any scale is its depth."""
    wall = 20 / BATCH.rays[:, 2]
    normal = torch.zeros_like(BATCH.normal)
    normal[:, 2] = -1
    batch = replace(BATCH, depth_mm=wall, normal=normal)
    bumps = 1 + 0.05 * torch.sin(torch.arange(64.0))

    def told(values: Tensor, *, is_inverse: bool) -> float:
        term = DepthTerm(DepthOptions(normals=2.0), Says(DepthPrediction(values, is_inverse)))
        return term(batch.simulated, batch)["normals"].item()

    assert told(3 * wall, is_inverse=False) == pytest.approx(0, abs=1e-4)
    assert told(7 / wall + 1, is_inverse=True) == pytest.approx(0, abs=1e-4)
    assert told(bumps * wall, is_inverse=False) > 0.2


def test_normals_are_left_out_unless_asked_for() -> None:
    assert DepthTerm(DepthOptions(), Truth())(BATCH.simulated, BATCH).keys() == {"depth"}
