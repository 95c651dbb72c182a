"""OpenVINO: the default on processors; bfloat16 where the processor has it."""

from __future__ import annotations

import os

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from engine.backends import check_picture, check_probability
from engine.bundle import OUTPUT, ModelBundle
from engine.errors import BackendError
from engine.types import Image


def devices() -> tuple[str, ...]:
    """The devices OpenVINO sees, with their full names: "CPU AMD EPYC"."""
    core = ov.Core()
    return tuple(
        f"{name} {core.get_property(name, 'FULL_DEVICE_NAME')}" for name in core.available_devices
    )


def _share_of_cores() -> int:
    """Half of the processor, at most four threads: decoding, following and painting run beside."""
    # Not every system can say which cores a process may use.
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 2
    return max(1, min(4, count // 2))


class OpenVinoBackend:
    """One network compiled for the processor."""

    name = "openvino"

    def __init__(self, bundle: ModelBundle, threads: int | None = None) -> None:
        self._size = bundle.input.size
        self._input = bundle.input.name
        try:
            core = ov.Core()
            has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = "bf16" if has_bf16 else "f32"
            options: dict[str, object] = {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
                "INFERENCE_PRECISION_HINT": precision,
            }
            options["INFERENCE_NUM_THREADS"] = threads or _share_of_cores()
            network = core.compile_model(core.read_model(bundle.onnx_path), "CPU", options)
            self._request: ov.InferRequest | None = network.create_infer_request()
            used = network.get_property("INFERENCE_NUM_THREADS")
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO cannot load {bundle.onnx_path}: {error}.",
                "Build the bundle again, or choose another back end.",
            ) from error
        plural = "" if used == 1 else "s"
        self.description = f"OpenVINO, processor, {precision}, {used} thread{plural}"

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        check_picture(image, self._size)
        if self._request is None:
            raise BackendError("This back end was closed.", "Open it again.")
        batch = np.ascontiguousarray(image[np.newaxis])
        try:
            self._request.infer({self._input: batch}, share_inputs=True)
            output = self._request.get_tensor(OUTPUT).data
        except RuntimeError as error:
            raise BackendError(f"OpenVINO failed: {error}.", "Open the video again.") from error
        return check_probability(output, self._size)

    def close(self) -> None:
        """Give the network back."""
        self._request = None
