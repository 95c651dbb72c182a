"""What the terms of CycleGAN answer for, and that depth only reaches G."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from train.depth.colon import ColonEstimator
from train.losses.depth import DepthLossOptions, DepthPrediction
from train.networks.colon_depth import build_colon_depth
from train.translation.cyclegan import (
    CycleGAN,
    CycleOptions,
    DepthCycleGAN,
    DepthCycleOptions,
)
from train.translation.depth_term import DepthOptions

TINY = CycleOptions(width=8, blocks=1)


class Brightness:
    """A depth network of one line: what is bright is near."""

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        return DepthPrediction(1.1 + pictures.mean(1), is_inverse=True)


def descend(optimiser: Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def terms_of(translator: CycleGAN) -> dict[str, Tensor]:
    batch = random_batch()
    translated = translator.to_real(batch.simulated)
    return translator.generator_terms(batch, translated, translator.to_simulated(batch.real))


def reached(translator: CycleGAN, term: Tensor) -> set[str]:
    """Names of the networks that a term has gradients for."""
    translator.zero_grad(set_to_none=True)
    term.backward(retain_graph=True)
    return {
        name.split(".")[0]
        for name, weight in translator.named_parameters()
        if weight.grad is not None and weight.grad.any()
    }


def test_without_identity_there_is_no_such_term() -> None:
    assert "identity" in terms_of(CycleGAN(TINY))
    assert "identity" not in terms_of(CycleGAN(CycleOptions(width=8, blocks=1, identity=0.0)))


def test_both_generators_answer_for_the_cycles() -> None:
    torch.manual_seed(0)
    translator = CycleGAN(TINY)
    terms = terms_of(translator)
    assert reached(translator, terms["cycle simulated"]) == {"to_real", "to_simulated"}
    assert "to_simulated" not in reached(translator, terms["GAN real"])


def test_depth_reaches_the_translating_generator_alone() -> None:
    torch.manual_seed(0)
    options = DepthCycleOptions(cycle=TINY, depth=DepthOptions(loss=DepthLossOptions("robust")))
    translator = DepthCycleGAN(options, critic=Brightness())
    terms = terms_of(translator)
    assert reached(translator, terms["depth"]) == {"to_real"}


def test_the_critic_is_no_part_of_a_checkpoint() -> None:
    translator = DepthCycleGAN(DepthCycleOptions(cycle=TINY), critic=Brightness())
    assert set(translator.state_dict()) == set(CycleGAN(TINY).state_dict())


def test_what_is_trained_translates_without_its_critic() -> None:
    absent = DepthOptions(estimator="colon", weights="nowhere.safetensors")
    translator = DepthCycleGAN(DepthCycleOptions(cycle=TINY, depth=absent))
    assert translator.translate(random_batch().simulated).shape == (2, 3, 64, 64)
    with pytest.raises(RecipeError, match="nowhere"):
        translator.prepare()


def test_depth_is_compared_in_single_precision_whatever_the_networks() -> None:
    critic = ColonEstimator(build_colon_depth(pretrained=False), short_side_px=32)
    translator = DepthCycleGAN(DepthCycleOptions(cycle=TINY), critic)
    with torch.autocast("cpu", torch.bfloat16):
        assert terms_of(translator)["depth"].dtype == torch.float32


def test_the_depth_term_has_its_weight() -> None:
    found = []
    for weight in (1.0, 3.0):
        torch.manual_seed(0)
        options = DepthCycleOptions(cycle=TINY, depth=DepthOptions(weight=weight))
        found.append(terms_of(DepthCycleGAN(options, critic=Brightness()))["depth"])
    assert torch.allclose(found[1], 3 * found[0])


def test_learning_lowers_what_should_fall() -> None:
    torch.manual_seed(0)
    cycle = CycleOptions(width=8, blocks=1, learning_rate=2e-3)
    options = DepthCycleOptions(cycle, DepthOptions(weight=5.0))
    translator = DepthCycleGAN(options, critic=Brightness())
    ramp = torch.linspace(0, 1, 64).expand(1, 64, 64)
    # Far is bright in the picture; the critic wants it dark.
    batch = replace(
        random_batch(count=1), simulated=(2 * ramp - 1)[:, None].repeat(1, 3, 1, 1),
        real=torch.stack([ramp, ramp.mT, 1 - ramp], 1) - 0.5, depth_mm=10 + 50 * ramp,
    )  # fmt: skip
    told = [translator.step(batch, descend) for _ in range(30)]
    for name in ("cycle simulated", "cycle real", "identity", "depth"):
        first, last = (sum(float(terms[name]) for terms in part) / 5
                       for part in (told[:5], told[-5:]))  # fmt: skip
        assert last < first, name
