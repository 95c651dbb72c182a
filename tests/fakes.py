"""Small real things that stand where costly ones do: analysers, and a bundle a test can build."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from engine.bundle import ModelBundle, seal_bundle
from engine.errors import BackendError
from engine.preprocess import Placement
from engine.stages import Stage
from engine.types import (
    Analysis,
    FoldInstance,
    FoldMask,
    Frame,
    Points,
    TrackedFolds,
    read_only,
)

WAIT_S = 20.0
"""Longest wait for another thread; tests that pass never take it."""


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """(4, 2) xy corners."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return read_only(np.array(corners, np.float32))


def fold(contour: Points, track: int = 1) -> FoldInstance:
    """A fold with that outline."""
    return FoldInstance(label=1, track=track, contour=contour, area_px=100.0, score=0.9)


def analysis_of(frame: Frame, *folds: FoldInstance) -> Analysis:
    """`folds` as found in `frame`."""
    height, width = frame.image.shape[:2]
    grid = read_only(np.zeros((32, 32), np.float32))
    placement = Placement.fit((0, 0, width, height), 32)
    return Analysis(frame, FoldMask(frame, grid, grid, placement), folds)


class EasyAnalyser:
    """Finds one fold in every frame, at once, and remembers what it was asked."""

    name = "analyse"

    def __init__(self) -> None:
        self.stages: tuple[Stage, ...] = (self,)
        self.seen: list[float] = []
        self.resets: list[int] = []
        """How many frames had been seen at each reset."""

    def __call__(self, frame: Frame) -> Analysis:
        self.seen.append(frame.pts_s)
        return analysis_of(frame, fold(rectangle(10, 10, 40, 30)))

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        return None

    def reset(self) -> None:
        self.resets.append(len(self.seen))


class GatedAnalyser(EasyAnalyser):
    """Works on a frame only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_busy = threading.Event()
        self._permits = threading.Semaphore(0)

    def allow(self, count: int = 1) -> None:
        """Let `count` more frames through."""
        self._permits.release(count)

    def __call__(self, frame: Frame) -> Analysis:
        self.is_busy.set()
        assert self._permits.acquire(timeout=WAIT_S), "the test never let the analyser work"
        self.is_busy.clear()
        return super().__call__(frame)


class FailingAnalyser(EasyAnalyser):
    """Breaks at its `at`-th frame, first is 0."""

    def __init__(self, at: int = 0, error: Exception | None = None) -> None:
        super().__init__()
        self._at = at
        self._error = error or BackendError("The back end broke.", "Choose another one.")

    def __call__(self, frame: Frame) -> Analysis:
        if len(self.seen) >= self._at:
            raise self._error
        return super().__call__(frame)


def brightness_bundle(folder: Path, size: int = 64) -> ModelBundle:
    """A sealed bundle whose network calls bright pixels fold; 4 operators, loads in no time."""
    from onnx import TensorProto, helper

    def constant(name: str, value: float) -> object:
        return helper.make_tensor(name, TensorProto.FLOAT, [1], [value])

    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("ReduceMean", ["planes"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["grey", "middle"], ["centred"]),
        helper.make_node("Mul", ["centred", "slope"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["fold"]),
        helper.make_node("Mul", ["fold", "none"], ["edge"]),
        helper.make_node("Concat", ["fold", "edge"], ["probability"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, size, size, 3])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 2, size, size])],
        [constant("middle", 110.0), constant("slope", 0.1), constant("none", 0.0)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    picture = {"size": size, "layout": "NHWC", "dtype": "uint8", "colour": "RGB", "name": "image"}
    manifest = {
        "name": "brightness",
        "version": "0.0.1",
        "input": picture,
        "outputs": ["fold", "edge"],
        "threshold": 0.5,
        "edge_threshold": 0.5,
        "metrics": {},
        "provenance": {},
    }
    return seal_bundle(folder, manifest, {"model.onnx": model.SerializeToString()})
