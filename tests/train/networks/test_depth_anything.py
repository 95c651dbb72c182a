"""Counts of the public checkpoints; taps, positions and sizes on a network of a few blocks."""

import pytest
import torch
from torch.nn import functional

from train.networks.depth_anything import SIZES, DepthAnything, Size
from train.networks.dinov2 import DinoV2

SMALL = Size(64, 5, 16, (8, 8, 16, 16), (0, 1, 3, 4))


@pytest.mark.parametrize(
    ("size", "entries", "elements"),
    [("vits", 239, 24_785_089), ("vitb", 239, 97_470_785), ("vitl", 407, 335_315_649)],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_entries_and_elements_are_the_published_ones(
    size: str, version: str, entries: int, elements: int
) -> None:
    with torch.device("meta"):
        state = DepthAnything(SIZES[size], version).state_dict()
    assert (len(state), sum(tensor.numel() for tensor in state.values())) == (entries, elements)


def test_layers_have_the_published_names() -> None:
    with torch.device("meta"):
        state = DepthAnything(SIZES["vits"], "v1").state_dict()
    assert state["pretrained.pos_embed"].shape == (1, 1370, 384)
    assert state["pretrained.blocks.11.attn.qkv.weight"].shape == (1152, 384)
    assert state["depth_head.resize_layers.3.weight"].shape == (384, 384, 3, 3)
    assert state["depth_head.scratch.refinenet4.resConfUnit1.conv2.bias"].shape == (64,)
    assert state["depth_head.scratch.output_conv2.2.weight"].shape == (1, 32, 1, 1)


@pytest.mark.parametrize(
    ("size", "version", "taps"),
    [
        ("vits", "v1", (8, 9, 10, 11)),
        ("vits", "v2", (2, 5, 8, 11)),
        ("vitl", "v1", (20, 21, 22, 23)),
        ("vitl", "v2", (4, 11, 17, 23)),
    ],
)
def test_each_version_looks_at_its_own_blocks(
    size: str, version: str, taps: tuple[int, ...]
) -> None:
    assert SIZES[size].taps(version) == taps


def test_the_same_weights_say_other_things_by_version() -> None:
    torch.manual_seed(1)
    first, second = DepthAnything(SMALL, "v1").eval(), DepthAnything(SMALL, "v2").eval()
    second.load_state_dict(first.state_dict())
    pictures = torch.randn(1, 3, 42, 56)
    torch.nn.init.constant_(first.depth_head.scratch.output_conv2[2].bias, 1.0)
    torch.nn.init.constant_(second.depth_head.scratch.output_conv2[2].bias, 1.0)
    assert first(pictures).shape == (1, 42, 56)
    assert not torch.allclose(first(pictures), second(pictures), rtol=1e-3)


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown version 'v3'"):
        DepthAnything(SMALL, "v3")


def test_a_size_that_is_no_multiple_of_14_is_refused() -> None:
    with pytest.raises(ValueError, match="no multiple of 14"):
        DepthAnything(SMALL, "v1")(torch.zeros(1, 3, 42, 50))


def test_positions_of_the_trained_grid_are_left_alone() -> None:
    network = DinoV2(64, 1)
    assert network.positions(37, 37) is network.pos_embed


def test_positions_are_resampled_with_the_offset_of_the_reference() -> None:
    network = DinoV2(64, 1)
    grid = network.pos_embed[:, 1:].reshape(1, 37, 37, 64).permute(0, 3, 1, 2)
    wanted = functional.interpolate(grid, scale_factor=(18.1 / 37, 5.1 / 37), mode="bicubic")
    found = network.positions(18, 5)
    assert found.shape == (1, 1 + 18 * 5, 64)
    assert torch.equal(found[:, :1], network.pos_embed[:, :1])
    assert torch.equal(found[0, 1 + 5 * 7 + 2], wanted[0, :, 7, 2])
