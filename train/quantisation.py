"""The same network in a quarter of the bits: int8 convolutions, told by QDQ nodes in the graph.

A quantised tensor x is kept as round(x / s) within -127..127, symmetric, because TensorRT takes
nothing else: one scale s a tensor, and one an output channel for weights (Jacob et al. 2018,
arXiv:1712.05877; Krishnamoorthi 2018, arXiv:1806.08342). Weights stay within -63..63: processors
with AVX2 but no VNNI add two products of bytes in 16 bits; 2 · 255 · 63 = 32130 fits, more does
not.

Only dense convolutions are: they hold nearly all multiplications. The first of all sees the
picture and the last say how likely a fold is, so they stay float32; so do the depthwise ones,
which are most of what int8 loses and gain nothing by it (docs/experiments.md, 2026-11-24).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

from engine.backends.openvino import look_inside
from engine.errors import BundleError
from engine.types import Image

_Floats = NDArray[np.float32]

LARGEST = 127
LARGEST_WEIGHT = 63
_CLIPPED = np.linspace(0.3, 1.0, 71)
"""Where a range may be cut off, as a share of its largest value."""
_VALUES = 4096
"""Of a tensor that are looked at in one picture."""
_PASSING = frozenset({"Clip", "Relu", "Add", "Conv", "Resize"})
"""What may stand between two quantised tensors; the head has other operators behind it."""


def scale_of_weights(weights: _Floats) -> _Floats:
    """(out,) scales of (out, in, h, w) weights: the largest of each output channel becomes 63."""
    largest = np.abs(weights).max(axis=(1, 2, 3))
    return np.asarray(np.where(largest > 0, largest, 1.0) / LARGEST_WEIGHT, np.float32)


def scale_of_values(values: _Floats) -> float:
    """The scale with the least squared error over `values`.

    A few large values are worth cutting off where all others get finer steps for it.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0.0:
        return 1.0 / LARGEST
    scales = _CLIPPED * largest / LARGEST
    errors = [float(np.square(rounded(values, scale) - values).mean()) for scale in scales]
    return float(scales[int(np.argmin(errors))])


def rounded(values: _Floats, scale: float) -> _Floats:
    """What is left of `values` after quantising and back: s · clip(round(x / s), -127, 127)."""
    steps = np.clip(np.rint(values / scale), -LARGEST, LARGEST)
    return np.asarray(steps * scale, np.float32)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One convolution to be quantised."""

    node: NodeProto
    takes: str
    """Name of the tensor it convolves."""
    weights: _Floats


def to_int8(network: bytes, pictures: Iterable[Image]) -> bytes:
    """A float32 network as int8, its scales measured on `pictures`.

    Raises:
        BundleError: no convolution in it can be quantised, or there is no picture.
    """
    model = onnx.load_model_from_string(network)
    layers = quantisable(model.graph)
    if not layers:
        raise BundleError("This network has no convolution to quantise.", "Leave it float32.")
    scales = measure_scales(network, {layer.takes for layer in layers}, pictures)
    _quantise(model, layers, scales)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def quantisable(graph: GraphProto) -> list[_Layer]:
    """The dense convolutions between the first, which sees the picture, and the last ones."""
    weights = {each.name: each for each in graph.initializer}
    behind: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            behind.setdefault(name, []).append(node)
    found = []
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in weights:
            continue
        followers = [each.op_type for each in behind.get(node.output[0], [])]
        if all(kind in _PASSING for kind in followers):
            values = numpy_helper.to_array(weights[node.input[1]])
            found.append(_Layer(node, node.input[0], np.asarray(values, np.float32)))
    return [layer for layer in found[1:] if layer.weights.shape[1] > 1]


def measure_scales(
    network: bytes, names: Iterable[str], pictures: Iterable[Image]
) -> Mapping[str, float]:
    """The best scale of each named tensor over all pictures.

    Raises:
        BundleError: there is no picture.
    """
    wanted = sorted(names)
    look = look_inside(network, wanted)
    rng = np.random.default_rng(0)
    seen: dict[str, list[_Floats]] = {name: [] for name in wanted}
    for picture in pictures:
        for name, tensor in look(picture).items():
            values = tensor.ravel()
            seen[name].append(rng.choice(values, min(_VALUES, len(values)), replace=False))
    if not seen[wanted[0]]:
        raise BundleError("No picture to measure int8 scales on.", "Give a set with colons.")
    return {name: scale_of_values(np.concatenate(values)) for name, values in seen.items()}


def _quantise(model: ModelProto, layers: list[_Layer], scales: Mapping[str, float]) -> None:
    """Put the nodes in, each before what takes from it, and int8 weights in place of floats."""
    graph = model.graph
    chosen = {layer.node.output[0]: layer for layer in layers}
    nodes: list[NodeProto] = []
    done: set[str] = set()
    for node in graph.node:
        layer = chosen.get(node.output[0])
        if layer is not None:
            if layer.takes not in done:
                done.add(layer.takes)
                nodes += _pair(graph, layer.takes, scales[layer.takes])
            nodes.append(_stored(graph, layer))
            node.input[0], node.input[1] = _back(layer.takes), _back(node.input[1])
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _pair(graph: GraphProto, name: str, scale: float) -> list[NodeProto]:
    """Quantise a tensor, and dequantise it for whoever takes it."""
    step, zero, small = f"{name}_scale", f"{name}_zero", f"{name}_int8"
    graph.initializer.append(numpy_helper.from_array(np.array(scale, np.float32), step))
    graph.initializer.append(numpy_helper.from_array(np.array(0, np.int8), zero))
    return [
        helper.make_node("QuantizeLinear", [name, step, zero], [small], name=f"{name}_q"),
        helper.make_node("DequantizeLinear", [small, step, zero], [_back(name)], name=f"{name}_dq"),
    ]


def _stored(graph: GraphProto, layer: _Layer) -> NodeProto:
    """Weights as int8 with a scale an output channel, and the node that makes floats of them."""
    name = layer.node.input[1]
    scales = scale_of_weights(layer.weights)
    steps = np.rint(layer.weights / scales[:, None, None, None]).astype(np.int8)
    inputs = [f"{name}_int8", f"{name}_scale", f"{name}_zero"]
    for each, values in zip(inputs, (steps, scales, np.zeros(len(scales), np.int8)), strict=True):
        graph.initializer.append(numpy_helper.from_array(values, each))
    return helper.make_node("DequantizeLinear", inputs, [_back(name)], name=f"{name}_dq", axis=0)


def _back(name: str) -> str:
    """The tensor of that name, quantised and dequantised."""
    return f"{name}_back"
