"""Inference back ends: one protocol, a table of names, one contract test over the table."""

from __future__ import annotations

import importlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.bundle import ModelBundle
from engine.errors import BackendError
from engine.types import Image

BACKENDS = {
    "openvino": "engine.backends.openvino:OpenVinoBackend",
    "onnxruntime": "engine.backends.onnxruntime:OnnxRuntimeBackend",
}
DEFAULT_BACKEND = "openvino"


class InferenceBackend(Protocol):
    """Runs one network, one picture at a time. Used from one thread."""

    name: str
    description: str
    """Device and precision, for people."""

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities: fold, edge.

        Raises:
            BackendError: the picture has another shape or type, or the device failed.
        """
        ...

    def close(self) -> None:
        """Give everything back. May be called more than once."""
        ...


def open_backend(
    bundle: ModelBundle, name: str | None = None, threads: int | None = None
) -> InferenceBackend:
    """Open a back end on a bundle's network.

    Args:
        bundle: a checked bundle.
        name: a key of `BACKENDS`; OpenVINO unless told.
        threads: processor threads; the back end's own choice unless told.

    Raises:
        BackendError: unknown name, package not installed, or the network does not load.
    """
    chosen = name or DEFAULT_BACKEND
    if chosen not in BACKENDS:
        raise BackendError(
            f"There is no back end {chosen!r}.", f"Known: {', '.join(sorted(BACKENDS))}."
        )
    module, attribute = BACKENDS[chosen].split(":")
    try:
        opener = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise BackendError(
            f"The back end {chosen} is not installed: {error}.", f"pip install haustra[{chosen}]"
        ) from error
    backend: InferenceBackend = opener(bundle, threads)
    return backend


def check_picture(image: Image, size: int) -> None:
    """Raises `BackendError` unless `image` is what the network takes."""
    if image.shape != (size, size, 3) or image.dtype != np.uint8:
        raise BackendError(
            f"The network takes ({size}, {size}, 3) uint8, not {image.shape} {image.dtype}."
        )


def check_probability(output: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A copy of the (2, size, size) maps in a network's (1, 2, size, size) output.

    Copied, because a runtime overwrites its own memory with the next picture's maps.

    Raises:
        BackendError: another shape, or values that are no probabilities.
    """
    remedy = "The bundle is not one of folds and edges: install it again."
    if output.shape != (1, 2, size, size):
        raise BackendError(f"The network gave {output.shape}, not (1, 2, {size}, {size}).", remedy)
    # Written so that NaN, which compares false with everything, fails it too.
    if not (output.min() >= 0.0 and output.max() <= 1.0):
        raise BackendError("The network gave values outside 0..1.", remedy)
    return np.array(output[0], dtype=np.float32)
