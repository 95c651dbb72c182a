"""A small network of three planes in every precision: run by every back end, built by TensorRT."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.backends import open_backend
from engine.backends.tensorrt import compile_plan, load_library
from engine.bundle import (
    HALF_NETWORK,
    INT8_NETWORK,
    NETWORK,
    InputSpec,
    ModelBundle,
    Precision,
    seal_bundle,
)
from engine.errors import BackendError
from engine.types import Image
from train.deployed import Deployed, planes_of, to_onnx
from train.half_precision import to_half
from train.quantisation import to_int8

SIZE = 64


class ThreePlanes(nn.Module):
    """Fold, edge and the logarithm of depth, as the student gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.narrow = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.wide = nn.Conv2d(8, 16, 1)
        self.head = nn.Conv2d(16, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        seen = torch.relu(self.stem(image / 255 - 0.5))
        found: Tensor = self.head(torch.relu(self.wide(self.narrow(seen))))
        return nn.functional.pixel_shuffle(found.repeat_interleave(4, 1), 2)


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(5)
    made = ThreePlanes().eval()
    with torch.no_grad():
        made.head.weight *= 30
    return made


@pytest.fixture(scope="module")
def images() -> list[Image]:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)
    return list(coarse.repeat(SIZE // 8, axis=1).repeat(SIZE // 8, axis=2))


@pytest.fixture(scope="module")
def bundle(
    network: nn.Module, images: list[Image], tmp_path_factory: pytest.TempPathFactory
) -> ModelBundle:
    whole = to_onnx(network, SIZE)
    manifest = {
        "name": "planes", "version": "1", "input": asdict(InputSpec(size=SIZE)),
        "outputs": list(planes_of(network)), "threshold": 0.5, "edge_threshold": 0.5,
        "metrics": {}, "provenance": {},
    }  # fmt: skip
    files = {
        NETWORK: whole, HALF_NETWORK: to_half(whole), INT8_NETWORK: to_int8(whole, images[:3])
    }  # fmt: skip
    return seal_bundle(tmp_path_factory.mktemp("bundle"), manifest, files)


def test_a_network_of_three_planes_has_depth(bundle: ModelBundle) -> None:
    assert bundle.outputs == ("fold", "edge", "depth")
    assert bundle.precisions == frozenset(Precision)


@pytest.mark.parametrize(
    ("name", "probability", "depth"),
    [
        ("onnxruntime", 1e-5, 1e-4),
        ("onnxruntime:fp16", 0.01, 0.02),
        ("onnxruntime:int8", 0.06, 0.2),
        ("openvino:fp32", 1e-4, 1e-3),
        ("openvino:int8", 0.06, 0.2),
    ],
)
def test_every_precision_gives_what_torch_gives(
    bundle: ModelBundle,
    network: nn.Module,
    images: list[Image],
    name: str,
    probability: float,
    depth: float,
) -> None:
    """Within these limits: of a probability, and of the logarithm of depth."""
    backend = open_backend(bundle, name, threads=1)
    with torch.no_grad():
        batch = torch.from_numpy(images[-1][None])
        expected, far = (each[0].numpy() for each in Deployed(network, has_depth=True)(batch))
    assert expected[0].std() > 0.1
    found = backend.infer(images[-1])
    assert np.abs(found - expected).max() < probability
    measured = backend.depth()
    assert measured is not None
    assert np.abs(np.log(measured / far[0])).max() < depth
    backend.close()


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.INT8])
def test_tensorrt_builds_every_precision(bundle: ModelBundle, precision: Precision) -> None:
    try:
        library = load_library()
    except BackendError as error:
        pytest.skip(f"no wheel of TensorRT for RTX for this system: {error.what}")
    if library.flavour != "tensorrt_rtx":
        pytest.skip(f"{library.title} builds nothing without a GPU")
    assert compile_plan(library, bundle, precision, (8, 9)).plan


def test_depth_stays_above_zero_and_within_float16_whatever_the_network_says(
    network: nn.Module,
) -> None:
    class Extreme(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            planes: Tensor = network(image)
            far = planes[:, 2:]
            return torch.cat([planes[:, :2], (far - far.mean()) * 1e4], 1)

    image = torch.randint(0, 256, (1, SIZE, SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        _, depth = Deployed(Extreme(), has_depth=True)(image)
    assert 0.01 < depth.min() < depth.max() < 65504
