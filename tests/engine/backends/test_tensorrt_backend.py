"""From the plan to the picture, with a real builder; only the GPU is a stand-in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.__main__ import main
from engine.backends import open_backend, tensorrt
from engine.backends.choice import NO_PLAN, Choosing, choose, open_automatic
from engine.backends.cuda import Driver
from engine.backends.plans import remember_precision
from engine.backends.tensorrt import TensorRtBackend, is_plan_kept, load_library
from engine.bundle import MANIFEST, ModelBundle, Precision, seal_bundle
from engine.cache import UserCache
from engine.errors import BackendError
from engine.segmenter import Segmenter
from engine.sources import open_source
from tests.clips import Clip, write_clip
from tests.engine.backends.stand_in_gpu import StandInLibrary, StandInRtxPlan
from tests.engine.sources.failing_card import FailingCard
from tests.fakes import brightness_bundle
from train.half_precision import to_half

SIZE = 64
PICTURE = np.random.default_rng(6).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


class Computer:
    """One with an RTX 4060 whose plans are really built, and then run by ordinary memory."""

    def __init__(self) -> None:
        self.library = StandInLibrary(memory=1 << 26)
        self.loaded: list[bytes] = []
        self.plans: list[StandInRtxPlan] = []

    def load(self, _library: object, plan: bytes) -> StandInRtxPlan:
        self.loaded.append(plan)
        self.plans.append(StandInRtxPlan(self.library, SIZE))
        return self.plans[-1]


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    try:
        library = load_library()
    except BackendError as error:
        pytest.skip(error.what)
    if library.flavour != "tensorrt_rtx":
        pytest.skip(f"{library.title} builds nothing without a GPU")
    made = Computer()
    monkeypatch.setattr(tensorrt, "open_driver", lambda: Driver(made.library))
    monkeypatch.setattr(tensorrt, "load_plan", made.load)
    return made


@pytest.fixture
def bundle(tmp_path: Path) -> ModelBundle:
    return brightness_bundle(tmp_path / "bundle")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserCache:
    monkeypatch.setenv("HAUSTRA_CACHE", str(tmp_path / "cache"))
    return UserCache()


def test_it_says_what_it_runs_on(computer: Computer, bundle: ModelBundle, cache: UserCache) -> None:
    backend = TensorRtBackend(bundle, cache=cache)
    assert backend.description.startswith("TensorRT for RTX ")
    assert backend.description.endswith(", NVIDIA GeForce RTX 4060, fp32, CUDA graph")
    assert (backend.name, backend.note) == ("tensorrt", None)


def test_a_picture_goes_through(computer: Computer, bundle: ModelBundle, cache: UserCache) -> None:
    backend = TensorRtBackend(bundle, cache=cache)
    expected = np.moveaxis(PICTURE[..., :2], 2, 0) / 255
    assert backend.infer(PICTURE) == pytest.approx(expected, abs=1e-6)
    assert not np.shares_memory(backend.infer(PICTURE), backend.infer(PICTURE))


def test_a_frame_decoded_on_the_card_reaches_the_plan_from_there(
    computer: Computer,
    bundle: ModelBundle,
    cache: UserCache,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip())
    monkeypatch.setattr("engine.sources.file.open_container", FailingCard(100, is_kept=True))
    with closing(open_source(path)) as source:
        frame = source.read()
    assert frame is not None
    backend = TensorRtBackend(bundle, cache=cache)
    segment = Segmenter(backend, SIZE)
    found = segment(frame)
    assert (computer.library.from_card, segment.note) == (1, None)
    expected = Segmenter(backend, SIZE)(replace(frame, on_card=None))
    assert computer.library.from_card == 1
    assert found.placement == expected.placement
    assert np.abs(found.probability - expected.probability).mean() < 2 / 255
    assert np.abs(found.probability - expected.probability).max() < 20 / 255


def test_the_second_start_loads_the_same_plan_and_compiles_nothing(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    assert not is_plan_kept(bundle, cache)
    TensorRtBackend(bundle, cache=cache).close()
    assert is_plan_kept(bundle, cache)
    TensorRtBackend(bundle, cache=cache).close()
    assert computer.loaded[0] == computer.loaded[1]
    assert [plan.compilations for plan in computer.plans] == [1, 0]


def test_a_damaged_plan_never_reaches_the_loader(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    TensorRtBackend(bundle, cache=cache).close()
    (path,) = cache.folder.glob("plan-*")
    path.write_bytes(path.read_bytes()[:-8] + b"worthless"[:8])
    backend = TensorRtBackend(bundle, cache=cache)
    assert not computer.loaded[1].endswith(b"worthles")
    assert backend.note is not None
    assert "The plan was built again." in backend.note


def test_closing_gives_the_card_back(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    backend = TensorRtBackend(bundle, cache=cache)
    backend.close()
    backend.close()
    assert (computer.library.held, computer.library.taken) == ([], {})
    with pytest.raises(BackendError, match="closed"):
        backend.infer(PICTURE)


def test_a_kept_plan_takes_part_in_the_choice(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    assert choose(bundle, 1, Choosing(cache)).refusals["tensorrt"] == NO_PLAN
    open_backend(bundle, "tensorrt").close()
    choice = choose(bundle, 1, Choosing(cache))
    assert not choice.is_remembered
    assert "tensorrt" in choice.times_ms


def raced(planned_ms: float, others_ms: float) -> Callable[..., dict[str, float]]:
    """A race with this outcome: a stand-in's pictures take no time."""

    def race(backends: Mapping[str, object], *_: object) -> dict[str, float]:
        return {
            name: planned_ms if isinstance(backend, TensorRtBackend) else others_ms
            for name, backend in backends.items()
        }

    return race


def test_in_the_window_the_plan_is_built_beside_what_serves(
    computer: Computer, bundle: ModelBundle, cache: UserCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.backends import choice

    monkeypatch.setattr(choice, "race", raced(planned_ms=1.0, others_ms=5.0))
    serving = open_automatic(bundle, 1, Choosing(cache, builds_plan=True))
    assert serving.name == "openvino"
    assert serving.wait_until_settled(60.0)
    serving.infer(PICTURE)
    assert serving.name == "tensorrt"
    serving.close()


def test_a_plan_that_is_no_faster_does_not_take_over(
    computer: Computer, bundle: ModelBundle, cache: UserCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.backends import choice

    monkeypatch.setattr(choice, "race", raced(planned_ms=9.0, others_ms=5.0))
    serving = open_automatic(bundle, 1, Choosing(cache, builds_plan=True))
    assert serving.wait_until_settled(60.0)
    serving.infer(PICTURE)
    assert serving.name == "openvino"
    assert serving.note is not None
    assert "It takes 9.0 ms, what serves takes 5.0 ms." in serving.note
    assert (computer.library.held, computer.library.taken) == ([], {})
    serving.close()


def test_the_verb_builds_keeps_and_says_where(
    computer: Computer, bundle: ModelBundle, cache: UserCache, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(bundle.path), "--precision", "fp32"]) == 0
    told = capsys.readouterr().out
    assert "NVIDIA GeForce RTX 4060, fp32" in told
    assert f"kept in {cache.folder}" in told
    assert is_plan_kept(bundle, cache)


def test_a_precision_asked_for_once_stays_the_models_own(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    half = seal_bundle(
        bundle.path.with_name("half"),
        {
            key: value
            for key, value in json.loads((bundle.path / MANIFEST).read_text()).items()
            if key not in ("schema", "artefacts")
        },
        {
            "model.onnx": bundle.onnx_path.read_bytes(),
            "model-fp16.onnx": to_half(bundle.onnx_path.read_bytes()),
        },
    )
    assert ", fp16, " in TensorRtBackend(half, cache=cache).description
    assert main(["build", str(half.path), "--precision", "fp32"]) == 0
    assert ", fp32, " in TensorRtBackend(half, cache=cache).description
    # The same model without a float16 network.
    assert ", fp32, " in TensorRtBackend(bundle, cache=cache).description
    assert main(["build", str(half.path)]) == 0
    assert ", fp16, " in TensorRtBackend(half, cache=cache).description


def test_a_cache_that_cannot_be_written_still_runs_and_says_so(
    computer: Computer, bundle: ModelBundle, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    backend = TensorRtBackend(bundle, cache=UserCache(tmp_path / "file" / "cache"))
    assert backend.infer(PICTURE).shape == (2, SIZE, SIZE)
    assert backend.note is not None
    assert "The plan is not kept." in backend.note


def test_a_card_without_memory_lets_another_back_end_serve(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    open_backend(bundle, "tensorrt").close()
    computer.library.free = 16
    choice = choose(bundle, 1, Choosing(cache))
    assert "out of memory" in choice.refusals["tensorrt"]
    assert choice.name in ("openvino", "onnxruntime")


def test_a_precision_the_model_lost_since_is_forgotten(
    computer: Computer, bundle: ModelBundle, cache: UserCache
) -> None:
    remember_precision(cache, bundle.digest, Precision.INT8)
    assert ", fp32, " in TensorRtBackend(bundle, cache=cache).description
