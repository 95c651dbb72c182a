"""ONNX Runtime: portable, an optional extra; on whatever device the installed package brings.

A session may list CUDA and compute everything on the processor all the same. What really ran is
read from the profile of one picture, and a device that did not is not claimed.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from engine.backends import check_depth, check_picture, check_probability, share_of_cores
from engine.bundle import DEPTH, OUTPUT, ModelBundle, Precision
from engine.errors import BackendError
from engine.types import Image

PROVIDERS = {
    "CUDAExecutionProvider": "CUDA",
    "DmlExecutionProvider": "DirectML",
    "CoreMLExecutionProvider": "CoreML",
}
"""Devices in the order they are tried, and their names for people; the processor comes last."""
_PROCESSOR = "CPUExecutionProvider"


class OnnxRuntimeBackend:
    """One network in an ONNX Runtime session."""

    name = "onnxruntime"

    def __init__(
        self,
        bundle: ModelBundle,
        threads: int | None = None,
        *,
        precision: Precision | None = None,
    ) -> None:
        self._bundle = bundle
        self._asked = precision
        self._outputs = [OUTPUT, DEPTH] if bundle.has_depth else [OUTPUT]
        self._depth: NDArray[np.float32] | None = None
        self._size = bundle.input.size
        self._threads = threads or share_of_cores()
        refused: list[str] = []
        device = self._open_device(refused)
        self._session: ort.InferenceSession | None
        if device is not None:
            self._session, self.description = device
        else:
            plural = "" if self._threads == 1 else "s"
            used = precision or Precision.FP32
            self._session = self._open(used, [_PROCESSOR])
            self.description = f"ONNX Runtime, processor, {used}, {self._threads} thread{plural}"
        self.note = f"ONNX Runtime refused {' '.join(refused)}" if refused else None

    def _open_device(self, refused: list[str]) -> tuple[ort.InferenceSession, str] | None:
        """The first device that proves to compute; why others do not goes to `refused`."""
        allowed = self._bundle.precisions
        half = Precision.FP16 if Precision.FP16 in allowed else Precision.FP32
        precision = self._asked or half
        for provider in wanted_providers(ort.get_available_providers()):
            title = PROVIDERS[provider]
            try:
                share = self._share_of(provider, precision)
                if share > 0.0:
                    text = f"ONNX Runtime, {title}, {precision}, {100 * share:.0f} % of operators"
                    return self._open(precision, [provider, _PROCESSOR]), text
                refused.append(f"{title}: it is listed, but computes nothing.")
            except BackendError as error:
                refused.append(f"{title}: {error.what}")
        return None

    def _open(
        self, precision: Precision, providers: Sequence[str], profile: Path | None = None
    ) -> ort.InferenceSession:
        path = self._bundle.network(precision)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = self._threads
        if "DmlExecutionProvider" in providers:  # DirectML refuses ONNX Runtime's own planning
            options.enable_mem_pattern = False
        if profile is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(profile)
        try:
            return ort.InferenceSession(path, options, providers=list(providers))
        except Exception as error:  # its exceptions share no public root
            raise BackendError(
                f"ONNX Runtime cannot load {path}: {error}.",
                "Build the bundle again, or choose another back end.",
            ) from error

    def _share_of(self, provider: str, precision: Precision) -> float:
        """How much of the network `provider` computes, 0..1, by the profile of one picture."""
        with tempfile.TemporaryDirectory(prefix="haustra-") as folder:
            session = self._open(precision, [provider, _PROCESSOR], Path(folder) / "profile")
            black = np.zeros((self._size, self._size, 3), np.uint8)
            self._run(session, black)
            return share_of_operators(Path(session.end_profiling()).read_bytes(), provider)

    def _run(self, session: ort.InferenceSession, image: Image) -> NDArray[np.float32]:
        batch = np.ascontiguousarray(image[np.newaxis])
        try:
            probability, *depth = session.run(self._outputs, {self._bundle.input.name: batch})
        except Exception as error:
            raise BackendError(f"ONNX Runtime failed: {error}.", "Open the video again.") from error
        self._depth = depth[0] if depth else None
        return np.asarray(probability)

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        check_picture(image, self._size)
        if self._session is None:
            raise BackendError("This back end was closed.", "Open it again.")
        return check_probability(self._run(self._session, image), self._size)

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none."""
        return None if self._depth is None else check_depth(self._depth, self._size)

    def close(self) -> None:
        """Give the session back."""
        self._session = None


def wanted_providers(installed: Sequence[str]) -> tuple[str, ...]:
    """The devices among what is installed, the most promising first."""
    return tuple(provider for provider in PROVIDERS if provider in installed)


def share_of_operators(profile: bytes, provider: str) -> float:
    """The part of all operators in an ONNX Runtime profile that ran on `provider`, 0..1."""
    ran = Counter(
        event["args"]["provider"]
        for event in json.loads(profile)
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    )
    return ran[provider] / ran.total() if ran else 0.0
