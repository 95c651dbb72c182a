"""The same network with half the bits: float16 weights and arithmetic in the ONNX graph itself.

TensorRT computes in whatever the graph says. Input (uint8) and outputs (float32) stay what they
are, so that a bundle's half network takes the place of the whole one without a change elsewhere.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from engine.errors import BundleError

_SHAPES = {"Resize": (1, 2, 3)}
"""Inputs that say how large, not how bright: they stay float32, whatever is computed."""
_LARGEST = float(np.finfo(np.float16).max)


def to_half(network: bytes) -> bytes:
    """A float32 network as float16.

    Raises:
        BundleError: a weight is too large for float16.
    """
    model = onnx.load_model_from_string(network)
    graph = model.graph
    kept = {
        node.input[at]
        for node in graph.node
        for at in _SHAPES.get(node.op_type, ())
        if at < len(node.input)
    }
    for weights in graph.initializer:
        if weights.name not in kept:
            _halve(weights)
    for node in graph.node:
        if not kept.intersection(node.output):
            _halve_node(node)
    for output in graph.output:
        _widen(graph, output.name)
    # What shape inference noted before is no longer true.
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _halve(tensor: TensorProto) -> None:
    if tensor.data_type != TensorProto.FLOAT:
        return
    values = numpy_helper.to_array(tensor)
    if np.isfinite(values).all() and np.abs(values).max(initial=0.0) > _LARGEST:
        raise BundleError(
            f"{tensor.name or 'A constant'} holds {np.abs(values).max():g}, beyond float16.",
            "Scale the network so that its weights stay below 65504, or leave it float32.",
        )
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))


def _halve_node(node: NodeProto) -> None:
    """Constants become float16, and so does what is cast to float32."""
    for attribute in node.attribute:
        if attribute.name == "value" and node.op_type in ("Constant", "ConstantOfShape"):
            _halve(attribute.t)
        is_cast = node.op_type == "Cast" and attribute.name == "to"
        if is_cast and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16


def _widen(graph: GraphProto, output: str) -> None:
    """Cast an output back to float32, under its own name."""
    half = f"{output}_half"
    for node in graph.node:
        for names in (node.output, node.input):
            for at, name in enumerate(names):
                if name == output:
                    names[at] = half
    graph.node.append(helper.make_node("Cast", [half], [output], to=TensorProto.FLOAT))
