"""OpenVINO: the default on processors, in the fastest precision that processor and bundle allow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from engine.backends import check_depth, check_picture, check_probability, share_of_cores
from engine.bundle import DEPTH, OUTPUT, ModelBundle, Precision
from engine.cache import UserCache
from engine.errors import BackendError, CacheError
from engine.types import Image

_COMPUTED = (Precision.FP32, Precision.BF16, Precision.INT8)
"""The rest of a quantised network stays float32: rounding twice loses more and gains nothing."""
_SLOW_TO_START = "Every start compiles the network anew."


def devices() -> tuple[str, ...]:
    """The devices OpenVINO sees, with their full names: "CPU AMD EPYC"."""
    core = ov.Core()
    return tuple(
        f"{name} {core.get_property(name, 'FULL_DEVICE_NAME')}" for name in core.available_devices
    )


def look_inside(
    network: bytes, names: Sequence[str]
) -> Callable[[Image], dict[str, NDArray[np.float32]]]:
    """What flows through an ONNX network in float32, by name, for one picture after another."""
    core = ov.Core()
    model = core.read_model(network)
    opened = dict(zip(names, model.add_outputs([*names]), strict=True))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def look(image: Image) -> dict[str, NDArray[np.float32]]:
        found = compiled(image[np.newaxis])
        return {name: found[output.get_any_name()] for name, output in opened.items()}

    return look


def best_precision(abilities: Collection[str], allowed: Collection[Precision]) -> Precision:
    """What a processor can (OpenVINO's words) and a bundle allows, as exact as may be.

    Never int8, which changes the answer: that is for who asks, or for a choice by measurement.
    """
    is_bf16 = Precision.BF16 in allowed and "BF16" in abilities
    return Precision.BF16 if is_bf16 else Precision.FP32


def _settled(asked: Precision | None, core: ov.Core, bundle: ModelBundle) -> Precision:
    """The precision asked for, where it can be had, or else the best one."""
    abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if asked is None:
        return best_precision(abilities, bundle.precisions)
    if asked not in _COMPUTED or asked.upper() not in abilities:
        raise BackendError(
            f"OpenVINO does not compute {asked} on this processor.",
            "Name no precision, to let Haustra choose.",
        )
    return asked


class OpenVinoBackend:
    """One network compiled for the processor; the compiled network is kept for the next start."""

    name = "openvino"

    def __init__(
        self,
        bundle: ModelBundle,
        threads: int | None = None,
        *,
        precision: Precision | None = None,
        cache: UserCache | None = None,
    ) -> None:
        self._size = bundle.input.size
        self._has_depth = bundle.has_depth
        self._input = bundle.input.name
        core = ov.Core()
        precision = _settled(precision, core, bundle)
        path = bundle.network(precision)
        keeping = _Keeping(cache or UserCache(), f"openvino-{bundle.digest[:16]}")
        try:
            options: dict[str, object] = {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
                "INFERENCE_PRECISION_HINT": "bf16" if precision is Precision.BF16 else "f32",
                "INFERENCE_NUM_THREADS": threads or share_of_cores(),
            }
            network = core.compile_model(path, "CPU", options | keeping.options())
            self._request: ov.InferRequest | None = network.create_infer_request()
            used = network.get_property("INFERENCE_NUM_THREADS")
        except RuntimeError as error:
            raise BackendError(
                f"OpenVINO cannot load {path}: {error}.",
                "Build the bundle again, or choose another back end.",
            ) from error
        keeping.seal()
        self.note = keeping.note
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

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none."""
        if not self._has_depth or self._request is None:
            return None
        return check_depth(self._request.get_tensor(DEPTH).data, self._size)

    def close(self) -> None:
        """Give the network back."""
        self._request = None


class _Keeping:
    """Has OpenVINO keep what it compiles in a folder that only this user may enter."""

    def __init__(self, cache: UserCache, name: str) -> None:
        self.note: str | None = None
        self._cache = cache
        self._name = name
        self._found: set[tuple[str, int]] = set()

    def options(self) -> dict[str, object]:
        """For `compile_model`; none where nothing can be kept."""
        try:
            self._cache.open_folder(self._name)
        except CacheError as error:
            self.note = f"{error} {_SLOW_TO_START}"
            return {}
        self._found = self._files()
        return {"CACHE_DIR": str(self._cache.folder / self._name)}

    def seal(self) -> None:
        """Vouch for what was compiled, if anything was."""
        if self.note is None and self._files() != self._found:
            try:
                self._cache.seal_folder(self._name)
            except CacheError as error:
                self.note = f"{error} {_SLOW_TO_START}"

    def _files(self) -> set[tuple[str, int]]:
        folder = self._cache.folder / self._name
        return {(path.name, path.stat().st_mtime_ns) for path in folder.iterdir()}
