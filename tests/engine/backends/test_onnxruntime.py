"""Devices are tried in order, and only what really computed is claimed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import brightness_bundle

ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from engine.backends.onnxruntime import (  # noqa: E402
    OnnxRuntimeBackend,
    share_of_operators,
    wanted_providers,
)


def test_the_most_promising_device_is_tried_first() -> None:
    installed = ("CPUExecutionProvider", "CoreMLExecutionProvider", "CUDAExecutionProvider")
    assert wanted_providers(installed) == ("CUDAExecutionProvider", "CoreMLExecutionProvider")


def test_devices_nobody_asked_for_are_left_alone() -> None:
    assert wanted_providers(("AzureExecutionProvider", "CPUExecutionProvider")) == ()


@pytest.fixture
def profile(tmp_path: Path) -> bytes:
    """Of one picture, really computed on the processor."""
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    options.log_severity_level = 4
    session = ort.InferenceSession(
        brightness_bundle(tmp_path / "bundle").onnx_path,
        options,
        providers=["CPUExecutionProvider"],
    )
    session.run(None, {"image": np.zeros((1, 64, 64, 3), np.uint8)})
    return Path(session.end_profiling()).read_bytes()


def test_a_profile_tells_what_computed(profile: bytes) -> None:
    assert share_of_operators(profile, "CPUExecutionProvider") == 1.0
    assert share_of_operators(profile, "CUDAExecutionProvider") == 0.0


def test_part_of_the_operators_is_a_part() -> None:
    def ran(provider: str) -> dict[str, object]:
        return {"cat": "Node", "args": {"provider": provider}}

    events = [ran("CUDAExecutionProvider")] * 3 + [ran("CPUExecutionProvider"), {"cat": "Session"}]
    share = share_of_operators(json.dumps(events).encode(), "CUDAExecutionProvider")
    assert share == pytest.approx(0.75)


def test_an_empty_profile_proves_nothing() -> None:
    assert share_of_operators(b"[]", "CUDAExecutionProvider") == 0.0


def test_a_device_that_is_listed_but_cannot_work_is_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with a GPU package on a computer without that GPU: ONNX Runtime falls back in silence.
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        backend = OnnxRuntimeBackend(brightness_bundle(tmp_path), threads=1)
    assert backend.description == "ONNX Runtime, processor, fp32, 1 thread"
    assert backend.note is not None
    assert "CUDA: it is listed, but computes nothing." in backend.note
