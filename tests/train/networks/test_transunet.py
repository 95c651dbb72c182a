"""Counts of the public network; parts by hand; behaviour on a network of a few channels."""

from dataclasses import replace

import pytest
import torch

from train.networks.resnetv2 import ResNetV2, StandardConv
from train.networks.transunet import PUBLISHED, Embeddings, TransUNet, TransUNetOptions

SMALL = TransUNetOptions(classes=3, size=32, width=32, blocks=2, heads=2, stem=4, units=(1, 1, 1))


@pytest.mark.parametrize(("classes", "elements"), [(9, 105_279_970), (2, 105_278_955)])
def test_entries_and_elements_are_the_published_ones(classes: int, elements: int) -> None:
    with torch.device("meta"):
        state = TransUNet(replace(PUBLISHED, classes=classes)).state_dict()
    assert (len(state), sum(tensor.numel() for tensor in state.values())) == (409, elements)


def test_layers_have_the_published_names() -> None:
    with torch.device("meta"):
        state = TransUNet().state_dict()
    stem = "transformer.embeddings.hybrid_model"
    assert state[f"{stem}.root.conv.weight"].shape == (64, 3, 7, 7)
    assert state[f"{stem}.body.block2.unit1.downsample.weight"].shape == (512, 256, 1, 1)
    assert state[f"{stem}.body.block3.unit9.conv2.weight"].shape == (256, 256, 3, 3)
    assert state["transformer.encoder.layer.11.ffn.fc1.weight"].shape == (3072, 768)
    assert state["decoder.blocks.2.conv1.0.weight"].shape == (64, 192, 3, 3)
    assert state["segmentation_head.0.bias"].shape == (2,)


@pytest.mark.parametrize("size", [224, 256])
def test_skips_of_the_published_stem_are_whole(size: int) -> None:
    with torch.device("meta"):
        deep, skips = ResNetV2()(torch.zeros(1, 3, size, size))
    assert deep.shape == (1, 1024, size // 16, size // 16)
    assert [tuple(skip.shape[1:]) for skip in skips] == [
        (512, size // 8, size // 8), (256, size // 4, size // 4), (64, size // 2, size // 2),
    ]  # fmt: skip


def test_the_pixel_that_pooling_loses_is_zero_in_the_skip() -> None:
    torch.manual_seed(1)
    _, skips = ResNetV2(4, (1, 1, 1)).eval()(torch.randn(1, 3, 64, 64))
    assert not skips[1][..., -1, :].any()
    assert not skips[1][..., -1].any()
    assert skips[1][..., :-1, :-1].abs().sum() > 0


def test_filters_are_standardised() -> None:
    layer = StandardConv(1, 1, 1)
    # One weight less its mean is zero, whatever it was.
    assert not layer(torch.ones(1, 1, 2, 2)).any()
    layer = StandardConv(2, 1, 1)
    layer.weight.data = torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
    # Mean 2, deviation 1: the filter is (-1, 1).
    found = layer(torch.tensor([5.0, 7.0]).reshape(1, 2, 1, 1))
    assert found.item() == pytest.approx(2.0, rel=1e-4)


@pytest.mark.parametrize("size", [32, 48])
def test_logits_have_the_size_of_the_picture(size: int) -> None:
    torch.manual_seed(1)
    assert TransUNet(SMALL).eval()(torch.randn(2, 3, size, size)).shape == (2, 3, size, size)


def test_grey_pictures_are_repeated() -> None:
    torch.manual_seed(1)
    network, grey = TransUNet(SMALL).eval(), torch.randn(1, 1, 32, 32)
    assert torch.equal(network(grey), network(grey.repeat(1, 3, 1, 1)))


def test_positions_of_another_grid_keep_their_corners() -> None:
    embeddings = Embeddings(SMALL)
    torch.nn.init.normal_(embeddings.position_embeddings)
    found = embeddings.positions(3, 3)
    kept = embeddings.position_embeddings
    assert torch.allclose(found[0, [0, 2, 6, 8]], kept[0, [0, 1, 2, 3]], atol=1e-6)


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(1)
    network = TransUNet(SMALL).train()
    network(torch.randn(2, 3, 32, 32)).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []
