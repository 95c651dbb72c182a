"""Counts and shapes of the public checkpoints, and each norm by hand."""

import pytest
import torch
from torch import Tensor, nn

from train.networks.munit import (
    AdaptiveInstanceNorm,
    MultiScaleDiscriminator,
    MunitGenerator,
    MunitShape,
    PictureNorm,
)

META = torch.device("meta")
TINY = MunitShape(width=4, blocks=1)


def of(build: type[nn.Module], *arguments: object) -> dict[str, Tensor]:
    with META:
        return build(*arguments).state_dict()


@pytest.mark.parametrize(
    ("shape", "entries", "elements"),
    [
        (MunitShape(), 82, 15_030_283),
        (MunitShape(bottleneck=8), 86, 15_067_411),
        (MunitShape(style=0, bottleneck=8), 52, 11_177_611),
    ],
    ids=["munit", "styled", "without style"],
)
def test_generators_are_those_of_the_checkpoints(
    shape: MunitShape, entries: int, elements: int
) -> None:
    state = of(MunitGenerator, shape)
    assert (len(state), sum(each.numel() for each in state.values())) == (entries, elements)


def test_the_discriminator_is_that_of_the_checkpoints() -> None:
    state = of(MultiScaleDiscriminator)
    assert (len(state), sum(each.numel() for each in state.values())) == (30, 8_271_171)
    assert state["cnns.2.4.weight"].shape == (1, 512, 1, 1)


def test_layers_have_the_published_names() -> None:
    state = of(MunitGenerator)
    shapes = {
        "enc_style.model.4.conv.weight": (256, 256, 4, 4),
        "enc_style.model.6.weight": (8, 256, 1, 1),
        "enc_content.model.3.model.3.model.1.conv.bias": (256,),
        "dec.model.0.model.2.model.0.norm.running_var": (256,),
        "dec.model.2.conv.weight": (128, 256, 5, 5),
        "dec.model.4.norm.gamma": (64,),
        "dec.model.5.conv.weight": (3, 64, 7, 7),
        "mlp.model.2.fc.weight": (4096, 256),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_the_narrow_content_shifts_the_decoder_by_one() -> None:
    state = of(MunitGenerator, MunitShape(bottleneck=8))
    assert state["enc_content.model.4.conv.weight"].shape == (8, 256, 3, 3)
    assert state["dec.model.0.conv.weight"].shape == (256, 8, 3, 3)
    assert state["dec.model.6.conv.weight"].shape == (3, 64, 7, 7)


def test_biases_come_before_weights() -> None:
    x = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)
    found = AdaptiveInstanceNorm(1)(x, torch.tensor([[10.0, 2.0]]))
    # (x - 2) / 1 · 2 + 10.
    assert found.flatten().tolist() == pytest.approx([8.0, 12.0], abs=1e-3)


def test_each_norm_of_a_decoder_has_its_own_part_of_the_style() -> None:
    generator = MunitGenerator(TINY).eval()
    content = torch.rand(1, 16, 4, 4)
    affine = torch.rand(1, 64)
    first = generator.dec(content, affine)
    for part in range(4):
        changed = affine.clone()
        changed[:, 16 * part : 16 * (part + 1)] += 1
        assert not torch.allclose(generator.dec(content, changed), first)


def test_a_picture_is_normed_as_a_whole() -> None:
    norm = PictureNorm(2)
    norm.gamma.data = torch.tensor([1.0, 10.0])
    norm.beta.data = torch.tensor([0.0, 1.0])
    x = torch.tensor([[0.0, 0.0], [2.0, 2.0]]).reshape(1, 2, 1, 2)
    # Mean 1; deviation of a sample sqrt(4 / 3) = 1.1547.
    low = -1 / 1.1547
    assert norm(x).flatten().tolist() == pytest.approx([low, low, 1 - 10 * low, 1 - 10 * low], 1e-4)


def test_noise_is_added_in_training_only() -> None:
    torch.manual_seed(0)
    generator = MunitGenerator(TINY, noise=0.1)
    pictures = torch.rand(1, 3, 16, 16)
    one, other = (generator.train().encode(pictures)[0] for _ in range(2))
    assert not torch.equal(one, other)
    one, other = (generator.eval().encode(pictures)[0] for _ in range(2))
    assert torch.equal(one, other)


def test_a_picture_of_256_is_judged_at_three_sizes() -> None:
    scores = MultiScaleDiscriminator(2)(torch.zeros(1, 3, 256, 256))
    assert [tuple(each.shape[2:]) for each in scores] == [(16, 16), (8, 8), (4, 4)]
