"""Int8: scales by hand, and the shipped network quantised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

import resources
from engine.bundle import ModelBundle
from engine.errors import BundleError
from tests.fakes import brightness_bundle
from train.quantisation import (
    measure_scales,
    quantisable,
    rounded,
    scale_of_values,
    scale_of_weights,
    to_int8,
)

PICTURES = list(np.random.default_rng(3).integers(0, 256, (2, 256, 256, 3)).astype(np.uint8))


def test_the_largest_weight_of_each_channel_becomes_63() -> None:
    weights = np.zeros((3, 1, 1, 2), np.float32)
    weights[0, 0, 0] = (126.0, -1.0)
    weights[1, 0, 0] = (0.5, -0.63)
    assert scale_of_weights(weights) == pytest.approx([2.0, 0.01, 1 / 63])


def test_rounding_by_hand() -> None:
    found = rounded(np.array([0.24, 0.26, -0.76, 99.0], np.float32), 0.5)
    assert found.tolist() == [0.0, 0.5, -1.0, 63.5]


def test_values_on_the_steps_of_their_range_keep_it() -> None:
    values = np.arange(-127, 128, dtype=np.float32)
    assert scale_of_values(values) == pytest.approx(1.0)


def test_one_stray_value_does_not_coarsen_all_others() -> None:
    values = np.append(np.linspace(-1, 1, 100_001, dtype=np.float32), np.float32(1.5))
    assert scale_of_values(values) == pytest.approx(1 / 127, rel=0.02)


def test_nothing_has_a_scale_too() -> None:
    assert scale_of_values(np.zeros(4, np.float32)) > 0


@pytest.fixture(scope="module")
def whole() -> bytes:
    return ModelBundle.open(resources.DEFAULT_BUNDLE).onnx_path.read_bytes()


@pytest.fixture(scope="module")
def quantised(whole: bytes) -> onnx.ModelProto:
    return onnx.load_model_from_string(to_int8(whole, PICTURES))


def test_neither_the_first_nor_the_last_nor_a_depthwise_convolution_is_quantised(
    whole: bytes, quantised: onnx.ModelProto
) -> None:
    graph = onnx.load_model_from_string(whole).graph
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    names = [layer.node.output[0] for layer in quantisable(graph)]
    assert convolutions[0].output[0] not in names
    assert convolutions[-1].output[0] not in names
    assert all(layer.weights.shape[1] > 1 for layer in quantisable(graph))
    assert len(names) > 30


def test_most_bytes_are_gone(whole: bytes, quantised: onnx.ModelProto) -> None:
    assert quantised.ByteSize() < 0.4 * len(whole)


def test_it_is_symmetric_and_its_biases_stay_float_as_tensorrt_wants(
    quantised: onnx.ModelProto,
) -> None:
    stored = {each.name: each for each in quantised.graph.initializer}
    zeros = [name for name in stored if name.endswith("_zero")]
    assert zeros
    for name in zeros:
        assert stored[name].data_type == TensorProto.INT8
        assert not onnx.numpy_helper.to_array(stored[name]).any()
    convolutions = [node.input for node in quantised.graph.node if node.op_type == "Conv"]
    biases = [names[2] for names in convolutions if len(names) > 2]
    assert {stored[name].data_type for name in biases if name in stored} == {TensorProto.FLOAT}


def test_a_network_without_convolutions_is_refused(tmp_path: Path) -> None:
    network = brightness_bundle(tmp_path).onnx_path.read_bytes()
    with pytest.raises(BundleError, match="no convolution"):
        to_int8(network, PICTURES)


def test_without_pictures_nothing_can_be_measured(whole: bytes) -> None:
    graph = onnx.load_model_from_string(whole).graph
    with pytest.raises(BundleError, match="No picture"):
        measure_scales(whole, [quantisable(graph)[0].takes], [])
