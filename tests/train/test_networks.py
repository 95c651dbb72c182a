"""One tester that every network in the table passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import BundleError, RecipeError
from train.deployed import Deployed, planes_of, to_onnx
from train.networks import NETWORKS, build_network
from train.networks.efficientnet import (
    FEATURE_CHANNELS,
    EfficientNetLite0,
    SameConv,
    build_efficientnet_lite0,
    load_imagenet_weights,
)

LARGE = {"transunet", "endofm-transunet"}
"""Too large to train in a test: `networks/test_published`."""
PICTURES = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(1)) * 255


@pytest.fixture(scope="module", params=sorted(NETWORKS.keys() - LARGE))
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return build_network(request.param, pretrained=False)


def test_planes_are_fold_and_edge_and_perhaps_depth_at_the_pictures_size(
    network: nn.Module,
) -> None:
    batch, planes, *size = network.eval()(PICTURES).shape
    assert (batch, *size) == (2, 64, 96)
    assert planes in (2, 3)


def test_gradients_reach_every_weight(network: nn.Module) -> None:
    network.train()(PICTURES).square().mean().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None] == []


def test_the_exported_network_says_what_the_trained_one_says(network: nn.Module) -> None:
    import onnxruntime

    image = torch.randint(0, 256, (1, 64, 64, 3), dtype=torch.uint8)
    session = onnxruntime.InferenceSession(to_onnx(network, 64))
    (found,) = session.run(["probability"], {"image": image.numpy()})
    with torch.no_grad():
        has_depth = "depth" in planes_of(network)
        expected = Deployed(network, has_depth=has_depth).eval()(image)
    expected = expected[0] if has_depth else expected
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-4, rtol=0)


def test_an_unknown_network_is_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="student"):
        build_network("teacher")


def test_the_encoder_gives_five_scales() -> None:
    features = EfficientNetLite0().eval()(PICTURES)
    assert [(f.shape[1], 64 // f.shape[2]) for f in features] == list(
        zip(FEATURE_CHANNELS, (2, 4, 8, 16, 32), strict=True)
    )


def test_imagenet_weights_fit_to_the_last_key() -> None:
    encoder = build_efficientnet_lite0(pretrained=True)
    assert encoder._bn0.running_var.max() > 10


def test_foreign_weights_are_refused_with_the_keys_named(tmp_path: Path) -> None:
    state = EfficientNetLite0().state_dict()
    state["surprise"] = state.pop("_conv_stem.weight")
    torch.save(state, tmp_path / "foreign.pth")
    with pytest.raises(BundleError, match=r"missing \['_conv_stem.weight'\].*surprise"):
        load_imagenet_weights(EfficientNetLite0(), tmp_path / "foreign.pth")


def test_a_depthwise_convolution_keeps_full_precision_under_autocast() -> None:
    depthwise, full = SameConv(8, 8, 3, 1, groups=8), SameConv(8, 8, 3, 1)
    with torch.autocast("cpu", torch.bfloat16):
        features = full(torch.rand(1, 8, 8, 8))
        assert features.dtype is torch.bfloat16
        assert depthwise(features).dtype is torch.float32


def test_a_frozen_part_keeps_its_statistics_while_training() -> None:
    encoder = EfficientNetLite0()
    encoder.freeze(3)
    before = encoder._bn0.running_mean.clone()
    encoder.train()(PICTURES)
    assert torch.equal(encoder._bn0.running_mean, before)


def test_a_frozen_part_does_not_learn() -> None:
    encoder = EfficientNetLite0()
    encoder.freeze(1)
    learning = {n.split(".")[1] for n, p in encoder.named_parameters() if p.requires_grad}
    assert learning == {str(number) for number in range(1, 16)}
