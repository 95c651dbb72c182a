from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from train.depth.colon import ColonEstimator
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


def test_a_critic_looks_at_crops_in_the_size_that_is_asked_for() -> None:
    sizes: list[torch.Size] = []
    for side_px in (0, 96):
        critic = DepthTerm(DepthOptions(short_side_px=side_px)).open()
        assert isinstance(critic, ColonEstimator)
        hook = critic.network.register_forward_pre_hook(
            lambda network, inputs: sizes.append(inputs[0].shape[-2:])
        )
        critic(BATCH.simulated)
        hook.remove()
    assert sizes == [(192, 192), (96, 96)]


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


def test_people_see_true_depth_beside_that_of_the_translation() -> None:
    """Far twice is dark twice, whatever the unit of the network; the unseen is black."""
    found = DepthTerm(DepthOptions(), Says(DepthPrediction(7 * BATCH.depth_mm, False)))
    shown = found.shown(BATCH.simulated, BATCH)
    assert list(shown) == ["depth", "depth of translated"]
    assert torch.allclose(shown["depth"], shown["depth of translated"], atol=0.02)
    assert (shown["depth"][:, :, :4] == -1).all()
    near, far = (BATCH.depth_mm == limit for limit in (BATCH.depth_mm.min(), BATCH.depth_mm.max()))
    brightness = shown["depth"].mean(1)
    assert (brightness[near] > brightness[far]).all()


def test_normals_are_left_out_unless_asked_for() -> None:
    assert DepthTerm(DepthOptions(), Truth())(BATCH.simulated, BATCH).keys() == {"depth"}
