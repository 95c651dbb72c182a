"""OpenVINO: the default on processors; bfloat16 where the processor has it."""

from __future__ import annotations

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from engine.backends import check_picture, check_probability
from engine.bundle import ModelBundle
from engine.errors import BackendError
from engine.types import Image


def devices() -> tuple[str, ...]:
    """Full names of the devices OpenVINO sees."""
    core = ov.Core()
    return tuple(
        str(core.get_property(name, "FULL_DEVICE_NAME")) for name in core.available_devices
    )


class OpenVinoBackend:
    """One network compiled for the processor."""

    name = "openvino"

    def __init__(self, bundle: ModelBundle, threads: int | None = None) -> None:
        self._size = bundle.input.size
        core = ov.Core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precision = "bf16" if has_bf16 else "f32"
        options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_PRECISION_HINT": precision,
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        try:
            network = core.compile_model(core.read_model(bundle.onnx_path), "CPU", options)
            self._request: ov.InferRequest | None = network.create_infer_request()
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO cannot load {bundle.onnx_path}: {error}.",
                "Build the bundle again, or choose another back end.",
            ) from error
        self.description = f"OpenVINO, processor, {precision}"

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        check_picture(image, self._size)
        if self._request is None:
            raise BackendError("This back end was closed.")
        try:
            outputs = self._request.infer([np.ascontiguousarray(image[None])])
        except RuntimeError as error:
            raise BackendError(f"OpenVINO failed: {error}.", "Open the video again.") from error
        # A copy: the request's own memory is overwritten by the next picture.
        return check_probability(outputs[0], self._size).copy()

    def close(self) -> None:
        """Give the network back."""
        self._request = None
