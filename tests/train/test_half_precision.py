"""Half the bits, the same answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import resources
from engine.bundle import ModelBundle, Precision
from engine.errors import BundleError
from tests.fakes import brightness_bundle
from train.half_precision import to_half


def answer(network: bytes, image: np.ndarray) -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    (found,) = session.run(["probability"], {"image": image[np.newaxis]})
    return np.asarray(found)


@pytest.fixture(scope="module")
def shipped() -> bytes:
    return ModelBundle.open(resources.DEFAULT_BUNDLE).onnx_path.read_bytes()


@pytest.fixture(scope="module")
def halved(shipped: bytes) -> bytes:
    return to_half(shipped)


def test_the_answer_stays_close_and_float32(shipped: bytes, halved: bytes) -> None:
    image = np.random.default_rng(3).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    found = answer(halved, image)
    assert found.dtype == np.float32
    assert np.abs(found - answer(shipped, image)).max() < 0.02


def test_it_takes_half_the_room(shipped: bytes, halved: bytes) -> None:
    assert len(halved) < 0.51 * len(shipped)


def test_no_weight_is_float32_any_more(halved: bytes) -> None:
    weights = onnx.load_model_from_string(halved).graph.initializer
    assert TensorProto.FLOAT not in {each.data_type for each in weights if each.dims}


def test_the_shipped_half_network_is_that_of_the_shipped_whole_one(halved: bytes) -> None:
    bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    assert bundle.network(Precision.FP16).read_bytes() == halved


def test_a_weight_beyond_float16_is_refused(tmp_path: Path) -> None:
    model = onnx.load(brightness_bundle(tmp_path).onnx_path)
    large = numpy_helper.from_array(np.array([1e6], np.float32), "slope")
    model.graph.initializer[1].CopyFrom(large)
    with pytest.raises(BundleError, match="slope holds 1e"):
        to_half(model.SerializeToString())


def test_sizes_of_a_resize_stay_as_they_are() -> None:
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Resize", ["real", "", "scales"], ["probability"]),
    ]
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 2.0, 2.0, 1.0])
    graph = helper.make_graph(
        nodes,
        "resize",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, 4, 4, 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 8, 8, 3])],
        [scales],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    image = np.full((4, 4, 3), 7, np.uint8)
    found = answer(to_half(model.SerializeToString()), image)
    assert np.array_equal(found, np.full((1, 8, 8, 3), 7))
