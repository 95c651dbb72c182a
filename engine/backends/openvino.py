"""OpenVINO: the default on processors, in the fastest precision that processor and bundle allow."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from engine.backends import check_picture, check_probability, share_of_cores
from engine.bundle import OUTPUT, ModelBundle, Precision
from engine.cache import UserCache
from engine.errors import BackendError, CacheError
from engine.types import Image

_SLOW_TO_START = "Every start compiles the network anew."


def devices() -> tuple[str, ...]:
    """The devices OpenVINO sees, with their full names: "CPU AMD EPYC"."""
    core = ov.Core()
    return tuple(
        f"{name} {core.get_property(name, 'FULL_DEVICE_NAME')}" for name in core.available_devices
    )


def best_precision(abilities: Collection[str], allowed: Collection[Precision]) -> Precision:
    """The fastest of what a processor can (OpenVINO's words) and a bundle allows."""
    for precision, ability in ((Precision.INT8, "INT8"), (Precision.BF16, "BF16")):
        if precision in allowed and ability in abilities:
            return precision
    return Precision.FP32


class OpenVinoBackend:
    """One network compiled for the processor; the compiled network is kept for the next start."""

    name = "openvino"

    def __init__(
        self, bundle: ModelBundle, threads: int | None = None, cache: UserCache | None = None
    ) -> None:
        self._size = bundle.input.size
        self._input = bundle.input.name
        path = bundle.onnx_path
        keeping = _Keeping(cache or UserCache(), f"openvino-{bundle.digest[:16]}")
        try:
            core = ov.Core()
            abilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            precision = best_precision(abilities, bundle.precisions)
            path = bundle.network(precision)
            # A quantised network says itself where it is int8; the rest of it may be bfloat16.
            is_bf16 = "BF16" in abilities and Precision.BF16 in bundle.precisions
            options: dict[str, object] = {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
                "INFERENCE_PRECISION_HINT": "bf16" if is_bf16 else "f32",
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
