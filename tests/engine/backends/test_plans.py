"""A plan is found again only where everything it belongs to is the same."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from engine.backends.plans import (
    BuildProgress,
    Built,
    PlanKey,
    find_kernels,
    find_or_build,
    find_plan,
    keep_kernels,
    parse_capability,
    remember_precision,
    remembered_precision,
)
from engine.bundle import Precision
from engine.cache import UserCache
from engine.errors import BackendError
from engine.timing import ManualClock

KEY = PlanKey(
    model="a" * 64,
    precision=Precision.FP16,
    flavour="tensorrt",
    version="10.9.0.34",
    gpu="NVIDIA RTX A2000",
    capability=(8, 6),
    driver="580.95.05",
)


class Builder:
    """Gives numbered plans, and remembers which timings it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, timings: bytes) -> Built:
        self.given.append(timings)
        return Built(f"plan {len(self.given)}".encode(), b"timings")


@pytest.fixture
def cache(tmp_path: Path) -> UserCache:
    return UserCache(tmp_path / "cache")


@pytest.fixture
def builder() -> Builder:
    return Builder()


def test_a_plan_is_built_once(cache: UserCache, builder: Builder) -> None:
    first = find_or_build(KEY, cache, builder)
    second = find_or_build(KEY, cache, builder)
    assert (first.content, first.is_new) == (b"plan 1", True)
    assert (second.content, second.is_new) == (b"plan 1", False)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "b" * 64},
        {"precision": Precision.FP32},
        {"flavour": "tensorrt_rtx"},
        {"version": "10.9.0.35"},
        {"gpu": "NVIDIA RTX A4000"},
        {"capability": (8, 9)},
        {"driver": "580.95.06"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_plan_is_built_again_when_anything_differs(
    cache: UserCache, builder: Builder, change: dict[str, object]
) -> None:
    find_or_build(KEY, cache, builder)
    assert find_or_build(replace(KEY, **change), cache, builder).content == b"plan 2"


def test_kernel_timings_serve_another_network_on_the_same_gpu(
    cache: UserCache, builder: Builder
) -> None:
    find_or_build(KEY, cache, builder)
    find_or_build(replace(KEY, model="b" * 64), cache, builder)
    find_or_build(replace(KEY, version="10.10"), cache, builder)
    assert builder.given == [b"", b"timings", b""]


def test_a_damaged_plan_is_built_again_and_said_so(cache: UserCache, builder: Builder) -> None:
    find_or_build(KEY, cache, builder)
    (path,) = cache.folder.glob("plan-*")
    path.write_bytes(path.read_bytes()[:-1])
    found = find_or_build(KEY, cache, builder)
    assert found.content == b"plan 2"
    assert found.note is not None
    assert "damaged" in found.note


def test_a_plan_from_elsewhere_is_never_used(
    cache: UserCache, builder: Builder, tmp_path: Path
) -> None:
    elsewhere = UserCache(tmp_path / "elsewhere")
    find_or_build(KEY, elsewhere, lambda _timings: Built(b"foreign", b""))
    (foreign,) = elsewhere.folder.glob("plan-*")
    cache.prepare()
    shutil.copy2(foreign, cache.folder)
    found = find_or_build(KEY, cache, builder)
    assert found.content == b"plan 1"
    assert found.note is not None
    assert find_plan(KEY, cache) == b"plan 1"


def test_a_folder_that_cannot_be_written_costs_only_the_next_start(
    builder: Builder, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    found = find_or_build(KEY, UserCache(tmp_path / "file" / "cache"), builder)
    assert found.content == b"plan 1"
    assert found.note is not None
    assert "not kept" in found.note


def test_a_build_that_fails_keeps_nothing(cache: UserCache) -> None:
    def fail(_timings: bytes) -> Built:
        raise BackendError("The build was cancelled.")

    with pytest.raises(BackendError):
        find_or_build(KEY, cache, fail)
    assert not cache.folder.exists()


@pytest.mark.parametrize("text", ["8.9", "89", "sm89", "SM_89"])
def test_a_capability_is_read_however_it_is_written(text: str) -> None:
    assert parse_capability(text) == (8, 9)


def test_two_digit_capabilities_are_read() -> None:
    assert parse_capability("12.0") == (12, 0)


@pytest.mark.parametrize("text", ["", "8", "ada", "8.9.1.2", "-8.9"])
def test_another_word_is_no_capability(text: str) -> None:
    with pytest.raises(BackendError, match="no compute capability"):
        parse_capability(text)


def test_progress_adds_up_through_nested_phases() -> None:
    progress = BuildProgress(ManualClock())
    progress.start_phase("whole", None, 4)
    progress.finish_step("whole", 0)
    assert progress.fraction == pytest.approx(1 / 4)
    progress.start_phase("part", "whole", 2)
    progress.finish_step("part", 0)
    assert progress.phase == "part"
    # One of four steps, and half of the next.
    assert progress.fraction == pytest.approx(3 / 8)


def test_progress_never_goes_back() -> None:
    progress = BuildProgress(ManualClock())
    progress.start_phase("whole", None, 2)
    progress.start_phase("part", "whole", 2)
    progress.finish_step("part", 1)
    progress.finish_phase("part")
    assert progress.fraction == pytest.approx(0.5)
    progress.finish_phase("whole")
    assert progress.fraction == 1.0


def test_time_left_follows_from_the_time_it_took_so_far() -> None:
    clock = ManualClock()
    progress = BuildProgress(clock)
    progress.start_phase("whole", None, 4)
    assert progress.left_s is None
    clock.advance(10.0)
    progress.finish_step("whole", 0)
    assert progress.left_s == pytest.approx(30.0)


def test_a_cancelled_build_is_told_to_stop_at_the_next_step() -> None:
    progress = BuildProgress(ManualClock())
    progress.start_phase("whole", None, 4)
    assert progress.finish_step("whole", 0)
    progress.cancel()
    assert not progress.finish_step("whole", 1)


def test_kernels_compiled_by_a_run_are_found_again(cache: UserCache) -> None:
    assert find_kernels(KEY, cache) == b""
    keep_kernels(KEY, cache, b"", b"compiled")
    assert find_kernels(KEY, cache) == b"compiled"
    assert find_kernels(replace(KEY, driver="590.1"), cache) == b""


def test_damaged_kernels_are_compiled_anew(cache: UserCache) -> None:
    keep_kernels(KEY, cache, b"", b"compiled")
    (path,) = cache.folder.glob("kernels-*")
    path.write_bytes(path.read_bytes() + b"more")
    assert find_kernels(KEY, cache) == b""


def test_kernels_that_did_not_change_are_not_written(cache: UserCache) -> None:
    keep_kernels(KEY, cache, b"compiled", b"compiled")
    keep_kernels(KEY, cache, b"", b"")
    assert not cache.folder.exists()


def test_a_precision_is_remembered_for_its_model(cache: UserCache) -> None:
    remember_precision(cache, "a" * 64, Precision.FP32)
    assert remembered_precision(cache, "a" * 64) is Precision.FP32
    assert remembered_precision(cache, "b" * 64) is None
    remember_precision(cache, "a" * 64, None)
    assert remembered_precision(cache, "a" * 64) is None
