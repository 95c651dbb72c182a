"""ONNX Runtime: portable, on the processor; an optional extra."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.backends import check_picture, check_probability
from engine.bundle import OUTPUT, ModelBundle
from engine.errors import BackendError
from engine.types import Image


class OnnxRuntimeBackend:
    """One network in an ONNX Runtime session."""

    name = "onnxruntime"

    def __init__(self, bundle: ModelBundle, threads: int | None = None) -> None:
        self._size = bundle.input.size
        self._input = bundle.input.name
        options = ort.SessionOptions()
        options.log_severity_level = 4
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session: ort.InferenceSession | None = ort.InferenceSession(
                bundle.onnx_path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no public root
            raise BackendError(
                f"ONNX Runtime cannot load {bundle.onnx_path}: {error}.",
                "Build the bundle again, or choose another back end.",
            ) from error
        self.description = "ONNX Runtime, processor, f32"

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        check_picture(image, self._size)
        if self._session is None:
            raise BackendError("This back end was closed.", "Open it again.")
        batch = np.ascontiguousarray(image[np.newaxis])
        try:
            (output,) = self._session.run([OUTPUT], {self._input: batch})
        except Exception as error:
            raise BackendError(f"ONNX Runtime failed: {error}.", "Open the video again.") from error
        return check_probability(np.asarray(output), self._size)

    def close(self) -> None:
        """Give the session back."""
        self._session = None
