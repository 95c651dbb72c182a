"""Counts and shapes of the public checkpoints (elements of a state dict, buffers included)."""

import pytest
import torch
from torch import nn

from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import BlurDown, BlurUp, Generator

PICTURES = torch.rand(1, 3, 64, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1


def counted(network: nn.Module) -> tuple[int, int]:
    state = network.state_dict()
    return len(state), sum(tensor.numel() for tensor in state.values())


@pytest.mark.parametrize(
    ("network", "entries", "elements"),
    [
        (Generator(64), 48, 11_378_179),
        (Generator(80), 48, 17_770_883),
        (Generator(64, is_antialiased=True), 52, 11_387_779),
        (PatchDiscriminator(64), 10, 2_764_737),
        (PatchDiscriminator(64, is_antialiased=True), 13, 2_768_769),
    ],
    ids=["cyclegan", "foldit", "cut", "patchgan", "patchgan of cut"],
)
def test_entries_and_elements_are_the_published_ones(
    network: nn.Module, entries: int, elements: int
) -> None:
    assert counted(network) == (entries, elements)


def test_layers_have_the_numbers_of_cyclegan() -> None:
    state = Generator(64).state_dict()
    assert state["model.1.weight"].shape == (64, 3, 7, 7)
    assert state["model.18.conv_block.5.weight"].shape == (256, 256, 3, 3)
    assert state["model.19.weight"].shape == (256, 128, 3, 3)
    assert state["model.26.bias"].shape == (3,)


def test_layers_have_the_numbers_of_cut() -> None:
    state = Generator(64, is_antialiased=True).state_dict()
    assert state["model.7.filt"].shape == (128, 1, 3, 3)
    assert state["model.21.filt"].shape == (256, 1, 4, 4)
    assert state["model.22.weight"].shape == (128, 256, 3, 3)
    assert state["model.30.weight"].shape == (3, 64, 7, 7)


@pytest.mark.parametrize("is_antialiased", [False, True])
def test_a_picture_keeps_its_size_and_range(is_antialiased: bool) -> None:
    translated = Generator(8, 2, is_antialiased=is_antialiased)(PICTURES)
    assert translated.shape == PICTURES.shape
    assert translated.abs().max() <= 1


@pytest.mark.parametrize("is_antialiased", [False, True])
def test_gradients_reach_every_weight(is_antialiased: bool) -> None:
    torch.manual_seed(0)
    generator = Generator(8, 2, is_antialiased=is_antialiased)
    judge = PatchDiscriminator(8, is_antialiased=is_antialiased)
    judge(generator(PICTURES)).square().mean().backward()
    weights = {**dict(generator.named_parameters()), **dict(judge.named_parameters())}
    # A bias before an instance norm changes nothing: its gradient is zero.
    still = {name for name, each in weights.items() if each.grad is None or not each.grad.any()}
    assert {name for name in still if name.endswith("weight")} == set()


def test_a_picture_of_256_is_judged_in_30_by_30_patches() -> None:
    assert PatchDiscriminator(4)(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


@pytest.mark.parametrize("layer", [BlurDown(2), BlurUp(2)])
def test_blurred_sampling_keeps_a_flat_picture(layer: nn.Module) -> None:
    assert torch.allclose(layer(torch.full((1, 2, 8, 8), 3.0)), torch.tensor(3.0))


def test_features_are_those_of_the_numbered_layers() -> None:
    generator = Generator(8, 1)
    first, fourth = generator.features(PICTURES, [1, 4])
    assert torch.equal(first, generator.model[:2](PICTURES))
    assert fourth.shape[1] == 16
