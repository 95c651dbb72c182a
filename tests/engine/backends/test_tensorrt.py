"""Plans are built for real, by TensorRT for RTX, which needs no GPU for that. None is run here."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

import resources
from engine.backends import open_backend
from engine.backends.cuda import Gpu
from engine.backends.plans import BuildProgress, Built, find_or_build
from engine.backends.tensorrt import (
    Library,
    check_driver,
    choose_precision,
    compile_plan,
    load_library,
    load_plan,
    plan_key,
    remedy_for,
)
from engine.bundle import InputSpec, ModelBundle, Precision
from engine.cache import UserCache
from engine.errors import BackendError, BundleError
from tests.fakes import brightness_bundle

BUNDLES = sorted(path.parent for path in resources.DEFAULT_BUNDLE.parent.glob("*/manifest.json"))
CARD = Gpu(0, "NVIDIA GeForce RTX 4060", (8, 9), "580.95.05", 13000)


@pytest.fixture(scope="module")
def library() -> Library:
    try:
        found = load_library()
    except BackendError as error:
        pytest.skip(f"no wheel of TensorRT for RTX for this system: {error.what}")
    if found.flavour != "tensorrt_rtx":
        pytest.skip(f"{found.title} builds nothing without a GPU")
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return brightness_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.mark.parametrize("capability", [(8, 6), (8, 9), (12, 0)], ids=str)
@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.name)
def test_every_shipped_bundle_builds_in_every_precision_it_has(
    library: Library, path: Path, capability: tuple[int, int]
) -> None:
    bundle = ModelBundle.open(path)
    precisions = bundle.precisions & {Precision.FP32, Precision.FP16, Precision.INT8}
    assert Precision.FP16 in precisions
    sizes = {
        precision: len(compile_plan(library, bundle, precision, capability).plan)
        for precision in precisions
    }
    assert sizes[Precision.FP32] > bundle.onnx_path.stat().st_size
    assert sizes[Precision.FP16] < 0.7 * sizes[Precision.FP32]


def test_progress_reaches_its_end(library: Library, small: ModelBundle) -> None:
    progress = BuildProgress()
    compile_plan(library, small, Precision.FP32, (8, 9), progress)
    assert progress.fraction == 1.0


class _CancelAt(BuildProgress):
    """Cancels itself when so much is done."""

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self._at = fraction

    def finish_step(self, name: str, step: int) -> bool:
        super().finish_step(name, step)
        if self.fraction >= self._at:
            self.cancel()
        return super().finish_step(name, step)


@pytest.mark.parametrize("fraction", [0.0, 0.1])
def test_a_cancelled_build_gives_nothing_and_says_why(
    library: Library, fraction: float, tmp_path: Path
) -> None:
    bundle, cache = ModelBundle.open(resources.DEFAULT_BUNDLE), UserCache(tmp_path / "cache")

    def build(timings: bytes) -> Built:
        progress = _CancelAt(fraction)
        return compile_plan(library, bundle, Precision.FP32, (8, 9), progress, timings)

    with pytest.raises(BackendError, match="cancelled"):
        find_or_build(plan_key(library, CARD, bundle, Precision.FP32), cache, build)
    assert not cache.folder.exists()


def test_another_thread_builds_while_this_one_goes_on(library: Library, small: ModelBundle) -> None:
    built: list[Built] = []
    worker = threading.Thread(
        target=lambda: built.append(compile_plan(library, small, Precision.FP32, (8, 9)))
    )
    worker.start()
    worker.join(60.0)
    assert built


def test_a_real_plan_is_found_again(library: Library, small: ModelBundle, tmp_path: Path) -> None:
    key = plan_key(library, CARD, small, Precision.FP32)
    cache = UserCache(tmp_path / "cache")
    found = [
        find_or_build(key, cache, lambda _: compile_plan(library, small, Precision.FP32, (8, 9)))
        for _ in range(2)
    ]
    assert [each.is_new for each in found] == [True, False]
    assert found[0].content == found[1].content


def test_a_capability_it_does_not_know_is_refused_with_those_it_knows(
    library: Library, small: ModelBundle
) -> None:
    with pytest.raises(BackendError, match=r"9\.0.*8\.6"):
        compile_plan(library, small, Precision.FP32, (9, 0))


def test_a_network_of_another_size_than_its_manifest_says_is_refused(
    library: Library, small: ModelBundle
) -> None:
    lying = replace(small, input=InputSpec(size=128))
    with pytest.raises(BackendError, match=r"\(1, 64, 64, 3\), not \(1, 128, 128, 3\)"):
        compile_plan(library, lying, Precision.FP32, (8, 9))


def test_what_is_no_network_is_refused(library: Library, tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path)
    bundle.onnx_path.write_bytes(b"not a network")
    with pytest.raises(BackendError, match="cannot load"):
        compile_plan(library, bundle, Precision.FP32, (8, 9))


def test_what_is_no_plan_is_refused(library: Library) -> None:
    with pytest.raises(BackendError, match="cannot run the plan"):
        load_plan(library, b"not a plan" * 100)


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("Error Code 2: OutOfMemory (Requested size was 12 bytes.)", "Close other programs"),
        ("cudaError 2: out of memory", "Close other programs"),
        ("CUDA driver version is insufficient for CUDA runtime version", "Update the NVIDIA"),
        ("Serialization assertion header.magicTag failed", "Install the bundle again"),
    ],
)
def test_each_complaint_has_its_remedy(complaint: str, remedy: str) -> None:
    assert remedy_for(complaint).startswith(remedy)


def test_half_precision_is_taken_where_the_bundle_has_it(small: ModelBundle) -> None:
    shipped = ModelBundle.open(resources.DEFAULT_BUNDLE)
    assert choose_precision(shipped, None) is Precision.FP16
    assert choose_precision(small, None) is Precision.FP32


def test_a_precision_the_bundle_lacks_is_refused(small: ModelBundle) -> None:
    with pytest.raises(BundleError, match="has no fp16"):
        choose_precision(small, Precision.FP16)


def test_no_plan_is_bf16(small: ModelBundle) -> None:
    with pytest.raises(BackendError, match="Take fp16 or fp32"):
        choose_precision(small, Precision.BF16)


def test_a_driver_older_than_the_library_is_told_with_both_versions(library: Library) -> None:
    with pytest.raises(BackendError, match="Update the NVIDIA driver"):
        check_driver(library, replace(CARD, cuda=11080))


def test_a_driver_that_is_new_enough_is_fine(library: Library) -> None:
    check_driver(library, CARD)


def test_the_plan_of_each_precision_has_a_key_of_its_own(library: Library) -> None:
    bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    whole, half = (
        plan_key(library, CARD, bundle, each) for each in (Precision.FP32, Precision.FP16)
    )
    assert whole.model != half.model


def test_without_an_nvidia_driver_it_says_what_it_needs(
    small: ModelBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.backends import cuda

    monkeypatch.setattr(cuda, "_DRIVER", "libcuda-that-is-not-here.so")
    cuda.open_driver.cache_clear()
    load_library()
    with pytest.raises(BackendError, match="no NVIDIA driver"):
        open_backend(small, "tensorrt")
