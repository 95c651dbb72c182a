from __future__ import annotations

import pytest
import torch

from train.networks.colon_depth import ColonDepth, build_colon_depth


@pytest.fixture(scope="module")
def network() -> ColonDepth:
    torch.manual_seed(1)
    return build_colon_depth(pretrained=False)


def test_depth_has_the_size_of_the_picture(network: ColonDepth) -> None:
    with torch.no_grad():
        assert network.eval()(torch.rand(2, 3, 64, 96) * 255).shape == (2, 64, 96)


def test_it_begins_at_the_depth_of_a_colon(network: ColonDepth) -> None:
    with torch.no_grad():
        depth_mm = network.eval()(torch.rand(1, 3, 64, 64) * 255).exp()
    assert 15 < float(depth_mm.median()) < 60


def test_gradients_reach_every_weight(network: ColonDepth) -> None:
    network.train()(torch.rand(2, 3, 64, 64) * 255).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []


def test_it_is_light_enough_to_travel(network: ColonDepth) -> None:
    elements = sum(tensor.numel() for tensor in network.state_dict().values())
    assert elements * 2 < 15_000_000
