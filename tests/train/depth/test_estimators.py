"""Every estimator by name: sizes, polarity, gradients to the picture, weights refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import RecipeError
from train.depth import ESTIMATORS, DepthEstimator, open_estimator
from train.depth.anything import DepthAnythingEstimator
from train.depth.colon import ColonEstimator, open_colon, save_colon
from train.depth.pictures import grid_size
from train.depth.scsfm import DispResNetEstimator
from train.networks.colon_depth import build_colon_depth
from train.networks.depth_anything import DepthAnything, Size
from train.networks.dispresnet import DispResNet
from train.weights import save_weights

SMALL = Size(64, 4, 16, (8, 8, 16, 16), (0, 1, 2, 3))


def colon() -> ColonEstimator:
    return ColonEstimator(build_colon_depth(pretrained=False), 64)


def dispresnet() -> DispResNetEstimator:
    return DispResNetEstimator(DispResNet(18))


def depth_anything() -> DepthAnythingEstimator:
    network = DepthAnything(SMALL, "v1")
    # Fresh weights end below zero, where the last ReLU stops every gradient.
    nn.init.constant_(network.depth_head.scratch.output_conv2[2].bias, 1.0)
    return DepthAnythingEstimator(network)


@pytest.fixture(params=[colon, dispresnet, depth_anything])
def estimator(request: pytest.FixtureRequest) -> DepthEstimator:
    torch.manual_seed(1)
    made: DepthEstimator = request.param()
    return made


@pytest.mark.parametrize("size", [(64, 64), (75, 90)])
def test_any_size_comes_back_positive_and_whole(
    estimator: DepthEstimator, size: tuple[int, int]
) -> None:
    with torch.no_grad():
        values = estimator(torch.rand(2, 3, *size) * 2 - 1).values
    assert values.shape == (2, *size)
    assert values.isfinite().all()
    assert (values >= 0).all()


def test_depth_is_whole_precision_within_half_precision(estimator: DepthEstimator) -> None:
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert estimator(pictures).values.dtype == torch.float32


def test_gradients_flow_to_the_picture_and_to_no_weight(estimator: DepthEstimator) -> None:
    picture = (torch.rand(1, 3, 64, 64) * 2 - 1).requires_grad_()
    estimator(picture).values.square().mean().backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0
    assert isinstance(estimator, nn.Module)
    assert not any(weight.requires_grad for weight in estimator.parameters())


@pytest.mark.parametrize(
    ("build", "is_inverse"), [(colon, False), (dispresnet, True), (depth_anything, True)]
)
def test_each_knows_its_polarity(build: type[DepthEstimator], is_inverse: bool) -> None:
    with torch.no_grad():
        assert build()(torch.zeros(1, 3, 64, 64)).is_inverse is is_inverse


@pytest.mark.parametrize("name", ["dispresnet", "depth-anything"])
def test_weights_of_others_must_be_named(name: str) -> None:
    with pytest.raises(RecipeError, match=f"haustra-train import {name}"):
        open_estimator(name)


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"falloff"}))
def test_weights_of_another_network_are_refused(tmp_path: Path, name: str) -> None:
    path = save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(1)}, {"kind": "cyclegan"})
    with pytest.raises(RecipeError, match="'cyclegan', not of"):
        open_estimator(name, path)


def test_a_quarter_of_the_light_is_twice_the_distance() -> None:
    linear = torch.tensor([0.64, 0.16])
    pictures = (2 * linear ** (1 / 2.2) - 1).expand(1, 3, 1, 2)
    near, far = open_estimator("falloff")(pictures).values[0, 0].tolist()
    assert near == pytest.approx(1 / 0.8, rel=1e-4)
    assert far == pytest.approx(2 * near, rel=1e-4)


def test_what_has_no_weights_takes_none(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="has no weights"):
        open_estimator("falloff", tmp_path)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(RecipeError, match="Choose one of: colon"):
        open_estimator("nosuch")


def test_dispresnet_opens_from_what_import_writes(tmp_path: Path) -> None:
    network = DispResNet(18)
    about = {"kind": "dispresnet", "depth": "18"}
    path = save_weights(tmp_path / "d.safetensors", network.state_dict(), about)
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        found = open_estimator("dispresnet", path)(pictures).values
        wanted = network.eval()(((pictures + 1) / 2 - 0.45) / 0.225)[:, 0]
    assert torch.allclose(found, wanted, atol=1e-5)


def test_the_colon_network_comes_back_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = build_colon_depth(pretrained=False).eval()
    path = save_colon(tmp_path / "c.safetensors", network, 64, "test")
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        found = open_colon(path)(pictures).values
        wanted = network((pictures + 1) * 127.5).exp()
    assert torch.allclose(found, wanted, rtol=0.02)


@pytest.mark.parametrize(
    ("height", "width", "found"),
    [(256, 256, (192, 192)), (540, 675, (192, 256)), (64, 64, (192, 192))],
)
def test_a_grid_keeps_the_aspect_as_far_as_multiples_allow(
    height: int, width: int, found: tuple[int, int]
) -> None:
    assert grid_size(height, width, 192, 32) == found
