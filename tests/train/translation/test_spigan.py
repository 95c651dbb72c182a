"""Who answers for which term; the re-implementation that is known gets this wrong."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from train.networks.adain import Vgg
from train.translation.spigan import Spigan, SpiganOptions
from train.weights import save_weights

TINY = SpiganOptions(width=4, blocks=1, head_width=4)


def reached(spigan: Spigan, term: Tensor) -> set[str]:
    """Names of the networks that a term has gradients for."""
    spigan.zero_grad(set_to_none=True)
    term.backward(retain_graph=True)
    return {
        name.split(".")[0]
        for name, weight in spigan.named_parameters()
        if weight.grad is not None and weight.grad.any()
    }


@pytest.fixture(scope="module")
def spigan() -> Spigan:
    torch.manual_seed(0)
    return Spigan(TINY)


@pytest.fixture(scope="module")
def terms(spigan: Spigan) -> dict[str, Tensor]:
    batch = random_batch()
    return spigan.generator_terms(batch, spigan.generator(batch.simulated))


def test_task_and_depth_of_a_translation_reach_the_generator(
    spigan: Spigan, terms: dict[str, Tensor]
) -> None:
    assert reached(spigan, terms["task translated"]) == {"task", "generator"}
    assert reached(spigan, terms["privileged translated"]) == {"privileged", "generator"}


def test_of_simulated_pictures_the_heads_alone_learn(
    spigan: Spigan, terms: dict[str, Tensor]
) -> None:
    assert reached(spigan, terms["task simulated"]) == {"task"}
    assert reached(spigan, terms["privileged simulated"]) == {"privileged"}


def test_the_perceptual_term_needs_its_encoder() -> None:
    options = SpiganOptions(width=4, blocks=1, head_width=4, perceptual=0.33)
    with pytest.raises(RecipeError, match="names no file"):
        Spigan(options).prepare()


def test_what_looks_the_same_is_perceived_as_the_same(tmp_path: Path) -> None:
    path = tmp_path / "adain.safetensors"
    state = {f"vgg.{name}": value for name, value in Vgg(layers=53).state_dict().items()}
    save_weights(path, state, {"kind": "adain"})
    options = SpiganOptions(
        width=4, blocks=1, head_width=4, perceptual=0.33, weights=str(path)
    )  # fmt: skip
    spigan = Spigan(options)
    spigan.prepare()
    batch = random_batch(count=1, size=32)
    assert spigan.generator_terms(batch, batch.simulated)["perceptual"] == 0
    assert spigan.generator_terms(batch, batch.real)["perceptual"] > 0
