"""Inference back ends: one protocol, a table of names, one contract test over the table."""

from __future__ import annotations

import difflib
import importlib
import os
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.bundle import ModelBundle, Precision
from engine.card import CardGrid
from engine.errors import BackendError
from engine.types import Image

BACKENDS = {
    "openvino": "engine.backends.openvino:OpenVinoBackend",
    "onnxruntime": "engine.backends.onnxruntime:OnnxRuntimeBackend",
    "tensorrt": "engine.backends.tensorrt:TensorRtBackend",
}
DEFAULT_BACKEND = "openvino"
"""Needs no extra and runs everywhere; what is measured without a name given is measured on it."""
AUTOMATIC = "auto"
"""Instead of a name: the fastest that works here (engine.backends.choice)."""


_REMEDY = "The bundle is not one of folds and edges: install it again."


class InferenceBackend(Protocol):
    """Runs one network, one picture at a time. Opened on any thread, used from one."""

    @property
    def name(self) -> str:
        """A key of `BACKENDS`."""
        ...

    @property
    def description(self) -> str:
        """Device and precision, for people."""
        ...

    @property
    def note(self) -> str | None:
        """What the user should know about how it runs; None where all is as it should be."""
        ...

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities: fold, edge.

        Raises:
            BackendError: the picture has another shape or type, or the device failed.
        """
        ...

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none.

        Raises:
            BackendError: nothing was inferred yet, or the values are no depths.
        """
        ...

    def close(self) -> None:
        """Give everything back. May be called more than once."""
        ...


@runtime_checkable
class CardBackend(Protocol):
    """A back end that may also take pictures that are in the card's memory already."""

    @property
    def takes_card(self) -> bool:
        """Whether it does now."""
        ...

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        """The same as `infer`, without bringing the picture here.

        Raises:
            BackendError: the picture has another size, or the device failed.
        """
        ...


def open_backend(
    bundle: ModelBundle, name: str = DEFAULT_BACKEND, threads: int | None = None
) -> InferenceBackend:
    """Open the back end `name` on a bundle's network.

    Args:
        bundle: a checked bundle.
        name: a key of `BACKENDS`; `openvino:int8` is that back end in that precision.
        threads: processor threads; `share_of_cores` unless told.

    Raises:
        BackendError: unknown name, package not installed, or the network does not load.
    """
    check_name(name)
    name, _, asked = name.partition(":")
    precision = Precision(asked) if asked else None
    module, attribute = BACKENDS[name].split(":")
    try:
        opener = getattr(importlib.import_module(module), attribute)
    except (ImportError, OSError) as error:
        raise BackendError(
            f"The back end {name} is not installed: {error}.", f"pip install haustra[{name}]"
        ) from error
    backend: InferenceBackend = opener(bundle, threads, precision=precision)
    return backend


def check_name(name: str) -> None:
    """Raises `BackendError` unless there is a back end of that name; it names the nearest.

    A precision may stand behind the name: `openvino:int8`.
    """
    name, colon, precision = name.partition(":")
    if colon and precision not in list(Precision):
        raise BackendError(
            f"There is no precision {precision!r}.", f"Known: {', '.join(Precision)}."
        )
    if name in BACKENDS:
        return
    known = f"Known: {', '.join(sorted(BACKENDS))}."
    near = difflib.get_close_matches(name.lower(), BACKENDS, n=1, cutoff=0.5)
    meant = f"Did you mean {near[0]}? " if near else ""
    raise BackendError(f"There is no back end {name!r}.", meant + known)


def share_of_cores() -> int:
    """Half of the processor, at most four threads: decoding, following and painting run beside."""
    # Not every system can say which cores a process may use.
    usable = getattr(os, "sched_getaffinity", None)
    count = len(usable(0)) if usable else os.cpu_count() or 2
    return max(1, min(4, count // 2))


def check_picture(image: Image, size: int) -> None:
    """Raises `BackendError` unless `image` is what the network takes."""
    if image.shape != (size, size, 3) or image.dtype != np.uint8:
        raise BackendError(
            f"The network takes ({size}, {size}, 3) uint8, not {image.shape} {image.dtype}."
        )


def check_grid(grid: CardGrid, size: int) -> None:
    """Raises `BackendError` unless `grid` is what the network takes."""
    if grid.size != size:
        raise BackendError(f"The network takes {size}x{size} cells, not {grid.size}x{grid.size}.")


def check_probability(output: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A copy of the (2, size, size) maps in a network's (1, 2, size, size) output.

    Copied, because a runtime overwrites its own memory with the next picture's maps.

    Raises:
        BackendError: another shape, or values that are no probabilities.
    """
    if output.shape != (1, 2, size, size):
        raise BackendError(f"The network gave {output.shape}, not (1, 2, {size}, {size}).", _REMEDY)
    # Written so that NaN, which compares false with everything, fails it too.
    if not (output.min() >= 0.0 and output.max() <= 1.0):
        raise BackendError("The network gave values outside 0..1.", _REMEDY)
    return np.array(output[0], dtype=np.float32)


def check_depth(output: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """A copy of the (size, size) map in a network's (1, 1, size, size) depth output.

    Raises:
        BackendError: another shape, or values that are no depths.
    """
    if output.shape != (1, 1, size, size):
        raise BackendError(f"The network gave a depth of {output.shape}.", _REMEDY)
    if not (output.min() > 0.0 and output.max() < np.inf):
        raise BackendError("The network gave depths that are not above 0.", _REMEDY)
    return np.array(output[0, 0], dtype=np.float32)
