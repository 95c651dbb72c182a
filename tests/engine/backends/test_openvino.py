"""Precision by what processor and bundle can do; the compiled network is kept."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends.openvino import OpenVinoBackend, best_precision, devices
from engine.bundle import ModelBundle, Precision, seal_bundle
from engine.cache import UserCache
from engine.errors import BackendError
from tests.fakes import brightness_bundle

EVERYTHING = frozenset(Precision)
PICTURE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    ("abilities", "allowed", "expected"),
    [
        (("FP32", "BF16", "INT8"), EVERYTHING, Precision.BF16),
        (("FP32", "BF16", "INT8"), {Precision.FP32, Precision.FP16}, Precision.FP32),
        (("FP32", "INT8"), {Precision.FP32, Precision.BF16}, Precision.FP32),
        (("FP32",), EVERYTHING, Precision.FP32),
    ],
)
def test_bfloat16_where_both_can_and_never_int8(
    abilities: Collection[str], allowed: Collection[Precision], expected: Precision
) -> None:
    assert best_precision(abilities, allowed) is expected


def bundle_with(folder: Path, *, precisions: list[str], **files: bytes) -> ModelBundle:
    """The brightness bundle with more networks, or fewer precisions."""
    plain = brightness_bundle(folder / "plain")
    manifest = {
        "name": "odd", "version": "1", "outputs": ["fold", "edge"],
        "input": {"name": "image", "size": 64, "layout": "NHWC", "dtype": "uint8", "colour": "RGB"},
        "threshold": 0.5, "edge_threshold": 0.5, "metrics": {}, "provenance": {},
        "precisions": precisions,
    }  # fmt: skip
    named = {f"model-{name}.onnx": content for name, content in files.items()}
    networks = {"model.onnx": plain.onnx_path.read_bytes(), **named}
    return seal_bundle(folder / "odd", manifest, networks)


def opened(
    bundle: ModelBundle, folder: Path, precision: Precision | None = None
) -> OpenVinoBackend:
    cache = UserCache(folder / "cache")
    return OpenVinoBackend(bundle, threads=1, precision=precision, cache=cache)


def test_a_bundle_that_forbids_less_than_float32_gets_float32(tmp_path: Path) -> None:
    backend = opened(bundle_with(tmp_path, precisions=["fp32"]), tmp_path)
    assert backend.description == "OpenVINO, processor, fp32, 1 thread"


def test_the_quantised_network_runs_where_it_is_asked_for(tmp_path: Path) -> None:
    # Told apart from the whole network by its slope, which is negative.
    import onnx

    model = onnx.load(brightness_bundle(tmp_path / "other").onnx_path)
    model.graph.initializer[1].float_data[0] = -0.1
    other = model.SerializeToString()
    bundle = bundle_with(tmp_path, precisions=["fp32", "int8"], int8=other)
    backend = opened(bundle, tmp_path, Precision.INT8)
    assert ", int8, " in backend.description
    assert backend.infer(np.full((64, 64, 3), 255, np.uint8))[0].max() < 0.01


def test_a_precision_that_openvino_computes_as_another_is_refused(tmp_path: Path) -> None:
    half = brightness_bundle(tmp_path / "other").onnx_path.read_bytes()
    bundle = bundle_with(tmp_path, precisions=["fp32", "fp16"], fp16=half)
    with pytest.raises(BackendError, match="does not compute fp16"):
        opened(bundle, tmp_path, Precision.FP16)


def test_the_second_start_finds_the_compiled_network(tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path)
    expected = opened(bundle, tmp_path).infer(PICTURE)
    (blob,) = (tmp_path / "cache").glob("openvino-*/*.blob")
    compiled = blob.stat().st_mtime_ns
    assert np.array_equal(opened(bundle, tmp_path).infer(PICTURE), expected)
    assert blob.stat().st_mtime_ns == compiled


def test_a_compiled_network_that_was_altered_is_compiled_anew(tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path)
    expected = opened(bundle, tmp_path).infer(PICTURE)
    (blob,) = (tmp_path / "cache").glob("openvino-*/*.blob")
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 0xFF
    blob.write_bytes(content)
    backend = opened(bundle, tmp_path)
    assert np.array_equal(backend.infer(PICTURE), expected)
    assert blob.read_bytes() != bytes(content)


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    backend = opened(brightness_bundle(tmp_path / "bundle"), tmp_path)
    assert backend.infer(PICTURE).shape == (2, 64, 64)
    assert backend.note is not None
    assert "Every start compiles the network anew." in backend.note


def test_a_cache_that_vanished_is_made_again(tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path)
    opened(bundle, tmp_path)
    shutil.rmtree(tmp_path / "cache")
    assert opened(replace(bundle), tmp_path).note is None


def test_the_processor_is_among_the_devices() -> None:
    assert any(device.startswith("CPU ") for device in devices())
