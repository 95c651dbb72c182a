"""One contract for every inference back end."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from engine.backends import BACKENDS, InferenceBackend, open_backend
from engine.backends.cuda import first_gpu, open_driver
from engine.backends.tensorrt import load_library
from engine.bundle import InputSpec, ModelBundle, seal_bundle
from engine.errors import BackendError, BundleError

SIZE = 64


def tiny_network(channels: int = 2, scale: float = 255.0, depth: float | None = None) -> bytes:
    """uint8 NHWC → (1, 2, S, S): the red and the green channel over `scale`.

    And `depth` plus the blue channel, where that is told.
    """
    nodes = [
        helper.make_node("Cast", ["image"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["real"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Slice", ["planes", "start", "end", "axis"], ["two"]),
        helper.make_node("Div", ["two", "scale"], ["probability"]),
    ]
    constants = [
        helper.make_tensor("start", TensorProto.INT64, [1], [0]),
        helper.make_tensor("end", TensorProto.INT64, [1], [channels]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("scale", TensorProto.FLOAT, [1], [scale]),
    ]
    outputs = {"probability": channels}
    if depth is not None:
        nodes += [
            helper.make_node("Slice", ["planes", "end", "three", "axis"], ["blue"]),
            helper.make_node("Add", ["blue", "least"], ["depth"]),
        ]
        constants.append(helper.make_tensor("three", TensorProto.INT64, [1], [3]))
        constants.append(helper.make_tensor("least", TensorProto.FLOAT, [1], [depth]))
        outputs["depth"] = 1
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [1, SIZE, SIZE, 3])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, SIZE, SIZE])
            for name, count in outputs.items()
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def seal(folder: Path, network: bytes, *further: str) -> ModelBundle:
    manifest = {
        "name": "tiny", "version": "1", "input": asdict(InputSpec(size=SIZE)),
        "outputs": ["fold", "edge", *further], "threshold": 0.5, "edge_threshold": 0.5,
        "metrics": {}, "provenance": {},
    }  # fmt: skip
    return seal_bundle(folder, manifest, {"model.onnx": network})


@pytest.fixture(params=sorted(BACKENDS))
def name(request: pytest.FixtureRequest) -> str:
    if request.param == "tensorrt":
        try:
            load_library()
            first_gpu(open_driver())
        except BackendError as error:
            pytest.skip(f"a plan runs on an NVIDIA GPU only: {error.what}")
    else:
        pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def backend(name: str, tmp_path: Path) -> Iterator[InferenceBackend]:
    opened = open_backend(seal(tmp_path, tiny_network()), name, threads=1)
    yield opened
    opened.close()


def picture() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)


def test_the_answer_is_the_network_s(backend: InferenceBackend) -> None:
    image = picture()
    expected = np.moveaxis(image[..., :2], 2, 0) / 255
    assert backend.infer(image) == pytest.approx(expected, abs=0.005)


def test_an_answer_is_not_overwritten_by_the_next(backend: InferenceBackend) -> None:
    first = backend.infer(picture())
    kept = first.copy()
    backend.infer(255 - picture())
    assert np.array_equal(first, kept)


def test_a_bundle_without_depth_gives_none(backend: InferenceBackend) -> None:
    backend.infer(picture())
    assert backend.depth() is None


def test_depth_is_that_of_the_last_picture_and_not_overwritten(name: str, tmp_path: Path) -> None:
    backend = open_backend(seal(tmp_path, tiny_network(depth=1.0), "depth"), name, threads=1)
    backend.infer(255 - picture())
    first = backend.depth()
    backend.infer(picture())
    second = backend.depth()
    assert first is not None and second is not None
    # bfloat16 keeps eight bits of a number.
    assert first == pytest.approx(256.0 - picture()[..., 2], rel=0.005)
    assert second == pytest.approx(1.0 + picture()[..., 2], rel=0.005)


def test_depths_below_zero_are_refused(name: str, tmp_path: Path) -> None:
    backend = open_backend(seal(tmp_path, tiny_network(depth=-100.0), "depth"), name, 1)
    backend.infer(picture())
    with pytest.raises(BackendError, match="not above 0"):
        backend.depth()


def test_a_precision_that_the_bundle_lacks_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no int8 network"):
        open_backend(seal(tmp_path, tiny_network()), f"{name}:int8", 1)


def test_a_precision_that_does_not_exist_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="no precision 'int4'"):
        open_backend(seal(tmp_path, tiny_network()), f"{name}:int4", 1)


@pytest.mark.parametrize(
    "wrong", [np.zeros((32, 64, 3), np.uint8), np.zeros((SIZE, SIZE, 3), np.float32)]
)
def test_a_picture_of_another_kind_is_refused(backend: InferenceBackend, wrong: np.ndarray) -> None:
    with pytest.raises(BackendError, match="takes"):
        backend.infer(wrong)


def test_it_answers_by_its_name(backend: InferenceBackend, name: str) -> None:
    assert backend.name == name


def test_it_says_what_it_runs_on(backend: InferenceBackend) -> None:
    assert any(device in backend.description for device in ("processor", "NVIDIA"))


def test_it_has_nothing_to_complain_of_where_all_is_well(backend: InferenceBackend) -> None:
    assert backend.note is None


def test_a_picture_that_is_a_view_of_a_larger_one_is_taken(backend: InferenceBackend) -> None:
    large = np.random.default_rng(5).integers(0, 256, (2 * SIZE, 2 * SIZE, 3)).astype(np.uint8)
    every_second = large[::2, ::2]
    assert np.array_equal(backend.infer(every_second), backend.infer(every_second.copy()))


def test_the_answer_may_be_written_to(backend: InferenceBackend) -> None:
    backend.infer(picture())[...] *= 0


def test_closing_again_does_nothing(backend: InferenceBackend) -> None:
    backend.close()
    backend.close()


def test_a_closed_back_end_says_so(backend: InferenceBackend) -> None:
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.infer(picture())


def test_a_network_of_another_shape_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"not \(1, 2"):
        open_backend(seal(tmp_path, tiny_network(3)), name, 1).infer(picture())


@pytest.mark.parametrize("scale", [100.0, float("nan")])
def test_values_that_are_no_probabilities_are_refused(
    name: str, tmp_path: Path, scale: float
) -> None:
    with pytest.raises(BackendError, match=r"outside 0\.\.1"):
        open_backend(seal(tmp_path, tiny_network(scale=scale)), name, 1).infer(picture())


def test_a_broken_network_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cannot load"):
        open_backend(seal(tmp_path, b"not a network"), name)


def test_an_unknown_back_end_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="Known: onnxruntime, openvino, tensorrt"):
        open_backend(seal(tmp_path, tiny_network()), "abacus")


@pytest.mark.parametrize("typed", ["openvno", "OpenVINO", "tensor-rt", "onnx"])
def test_a_misspelt_back_end_is_guessed(typed: str, tmp_path: Path) -> None:
    bundle = seal(tmp_path, tiny_network())
    with pytest.raises(BackendError, match=r"Did you mean (openvino|tensorrt|onnxruntime)\?"):
        open_backend(bundle, typed)


def test_a_back_end_whose_package_is_missing_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "absent", "engine.backends.absent:AbsentBackend")
    with pytest.raises(BackendError, match=r"pip install haustra\[absent\]"):
        open_backend(seal(tmp_path, tiny_network()), "absent")


def test_the_default_needs_no_extra(tmp_path: Path) -> None:
    assert open_backend(seal(tmp_path, tiny_network()), threads=1).name == "openvino"


def test_the_engine_is_imported_without_any_of_them() -> None:
    probe = (
        "import sys, engine.analyser\n"
        "heavy = {'openvino', 'onnxruntime', 'tensorrt', 'tensorrt_rtx', 'tensorrt_rtx_bindings'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
