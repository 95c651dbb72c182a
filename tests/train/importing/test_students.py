from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.bundle import NETWORK, ModelBundle
from engine.errors import RecipeError
from resources import DEFAULT_BUNDLE
from train.deployed import to_onnx
from train.importing import Told, import_checkpoint
from train.importing.students import (
    read_convolutions,
    renew_norms,
    simulated_pictures,
    unfold,
)
from train.loop import began_with
from train.networks import build_network
from train.networks.student import FoldStudent, build_student
from train.simulate.dataset import SimulatedSet


def trained_student() -> FoldStudent:
    """With norms that have met something."""
    torch.manual_seed(3)
    network = build_student(pretrained=False)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None and layer.running_var is not None
            layer.running_mean.normal_(0, 0.2)
            layer.running_var.uniform_(0.5, 2.0)
            nn.init.uniform_(layer.weight, 0.7, 1.4)
            nn.init.normal_(layer.bias, 0, 0.2)
    return network.eval()


@pytest.fixture(scope="module")
def student() -> FoldStudent:
    return trained_student()


@pytest.fixture(scope="module")
def exported(student: FoldStudent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "model.onnx"
    path.write_bytes(to_onnx(student, 64))
    return path


@torch.no_grad()
def test_opened_again_it_says_what_the_bundle_says(
    student: FoldStudent, exported: Path, tiny_set: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "student.safetensors"
    import_checkpoint("student", [exported], weights, Told(data=tiny_set))
    opened = build_network("student", pretrained=False, weights=str(weights)).eval()
    picture = torch.rand(1, 3, 64, 64) * 255
    assert torch.allclose(opened(picture), student(picture), atol=1e-3, rtol=1e-3)
    assert began_with(str(weights)) == ""  # The network lies in no sealed bundle.


@torch.no_grad()
def test_a_run_tells_from_which_bundle_it_went_on(tmp_path: Path, tiny_set: Path) -> None:
    bundle = ModelBundle.open(DEFAULT_BUNDLE)
    weights = tmp_path / "student.safetensors"
    import_checkpoint("student", [bundle.path / NETWORK], weights, Told(data=tiny_set))
    assert began_with(str(weights)) == f"{bundle.name} {bundle.version}"


def test_norms_know_the_pictures_they_were_measured_on(
    student: FoldStudent, tiny_set: Path
) -> None:
    opened = build_student(pretrained=False)
    opened.load_state_dict(student.state_dict())
    pictures = simulated_pictures(SimulatedSet(tiny_set), 4)
    renew_norms(opened, pictures)
    norm = opened.fine_smooth[1]
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_var is not None
    met: list[torch.Tensor] = []
    norm.register_forward_pre_hook(lambda _, given: met.append(given[0]))
    opened(pictures.permute(0, 3, 1, 2).float())
    values = met[0].transpose(0, 1).flatten(1)
    assert norm.running_mean is not None
    assert torch.allclose(norm.running_mean, values.mean(1), atol=1e-3)
    assert torch.allclose(norm.running_var, values.var(1, correction=0), rtol=1e-2, atol=1e-4)


def test_one_value_for_four_pixels_becomes_four_equal_ones(exported: Path) -> None:
    *others, (weight, bias) = read_convolutions(exported)
    assert bias is not None
    old = (weight[::4].clone(), bias[::4].clone())
    network = build_student(pretrained=False).eval()
    unfold(network, [*others, old], "old")
    assert torch.equal(network.head.weight[4:8], weight[4:5].expand(4, -1, -1, -1))
    assert network.head.bias is not None
    assert torch.equal(network.head.bias[8:], bias[8].expand(4))


def test_another_network_is_refused(exported: Path) -> None:
    network = build_student(pretrained=False)
    convolutions = read_convolutions(exported)
    with pytest.raises(RecipeError, match="convolutions"):
        unfold(network, convolutions[:-1], "short.onnx")
    first, second, *rest = convolutions
    with pytest.raises(RecipeError, match="a convolution has"):
        unfold(network, [second, first, *rest], "twisted.onnx")


def test_files_that_are_no_networks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(RecipeError, match="not an ONNX file"):
        read_convolutions(path)


def test_norms_need_pictures(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="simulated pictures"):
        import_checkpoint("student", [exported], tmp_path / "out.safetensors")
