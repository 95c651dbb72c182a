"""Counts and shapes of the public checkpoints; forward passes at small sizes."""

import pytest
import torch
from torch import nn

from train.networks.dispresnet import DispResNet, PoseResNet
from train.networks.resnet import ResNet


def counted(network: nn.Module) -> tuple[int, int]:
    state = network.state_dict()
    return len(state), sum(tensor.numel() for tensor in state.values())


def on_meta(build: type[nn.Module], depth: int) -> nn.Module:
    with torch.device("meta"):
        return build(depth)


@pytest.mark.parametrize(
    ("build", "entries", "elements"),
    [(DispResNet, 150, 14_851_856), (PoseResNet, 130, 13_021_570)],
)
def test_entries_and_elements_are_the_published_ones(
    build: type[nn.Module], entries: int, elements: int
) -> None:
    assert counted(on_meta(build, 18)) == (entries, elements)


def test_the_deep_variant_has_the_published_decoder() -> None:
    state = on_meta(DispResNet, 50).state_dict()
    assert len(state) == 348
    assert state["decoder.decoder.0.conv.conv.weight"].shape == (256, 2048, 3, 3)
    assert state["decoder.decoder.1.conv.conv.weight"].shape == (256, 1280, 3, 3)


def test_layers_have_the_published_names() -> None:
    state = on_meta(DispResNet, 18).state_dict()
    assert state["encoder.encoder.layer4.0.downsample.0.weight"].shape == (512, 256, 1, 1)
    assert state["encoder.encoder.fc.weight"].shape == (1000, 512)
    assert state["decoder.decoder.7.conv.conv.weight"].shape == (32, 96, 3, 3)
    assert state["decoder.decoder.13.conv.weight"].shape == (1, 128, 3, 3)
    assert on_meta(PoseResNet, 18).state_dict()["decoder.net.3.weight"].shape == (6, 256, 1, 1)


@torch.no_grad()
def test_disparity_comes_at_four_scales_within_its_range() -> None:
    torch.manual_seed(1)
    scales = DispResNet(18).eval().scales(torch.randn(1, 3, 64, 96))
    assert [tuple(each.shape[-2:]) for each in scales] == [(64, 96), (32, 48), (16, 24), (8, 12)]
    assert min(float(each.min()) for each in scales) >= 0.01
    assert max(float(each.max()) for each in scales) <= 10.01


@torch.no_grad()
def test_features_halve_from_stride_2_to_32() -> None:
    features = ResNet(50).eval()(torch.randn(1, 3, 64, 64))
    assert [tuple(each.shape[1:]) for each in features] == [
        (64, 32, 32), (256, 16, 16), (512, 8, 8), (1024, 4, 4), (2048, 2, 2),
    ]  # fmt: skip


@torch.no_grad()
def test_motion_has_six_numbers_a_pair() -> None:
    pictures = torch.randn(2, 3, 64, 64)
    assert PoseResNet(18).eval()(pictures, pictures.flip(0)).shape == (2, 6)
