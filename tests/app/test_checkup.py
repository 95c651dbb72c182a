"""The checkup survives whatever is missing and says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import resources
from app.checkup import (
    PROBES,
    REQUIRED_PACKAGES,
    Finding,
    Problem,
    check_backends,
    check_decoders,
    check_demo,
    check_display,
    check_gpu,
    check_model,
    check_processor,
    check_up,
    check_versions,
    has_display,
)
from engine.backends import BACKENDS
from engine.errors import BackendError
from engine.sources.decoders import hardware_kinds


def _raise(error: Exception) -> Finding:
    raise error


@pytest.mark.parametrize(
    "error",
    [ImportError("libEGL.so.1: cannot open"), OSError("gone"), BackendError("Broken.", "Mend it.")],
)
def test_a_probe_that_fails_becomes_a_blocking_problem(error: Exception) -> None:
    checkup = check_up({"display": lambda: _raise(error)})
    assert [problem.is_blocking for problem in checkup.problems] == [True]


def test_our_own_errors_keep_their_remedy() -> None:
    checkup = check_up({"model": lambda: _raise(BackendError("Broken.", "Mend it."))})
    assert checkup.problems[0].remedy == "Mend it."


def test_one_failed_probe_leaves_the_others() -> None:
    probes = {"model": lambda: _raise(OSError("gone")), "gpu": lambda: Finding(("none",))}
    assert check_up(probes).findings["gpu"].lines == ("none",)


def test_an_advice_does_not_make_unfit() -> None:
    advice = Problem("No GPU.", "None is needed.")
    assert check_up({"gpu": lambda: Finding(("none",), problems=(advice,))}).is_fit


def test_blocking_problems_come_first() -> None:
    advice, breakage = Problem("a", "b"), Problem("c", "d", is_blocking=True)
    checkup = check_up({"gpu": lambda: Finding((), problems=(advice, breakage))})
    assert checkup.problems == (breakage, advice)


@pytest.mark.parametrize("package", REQUIRED_PACKAGES)
def test_every_required_package_has_its_version(package: str) -> None:
    packages = check_versions().facts["packages"]
    assert isinstance(packages, dict)
    assert packages[package]


def test_the_processor_has_at_least_one_core() -> None:
    cores = check_processor().facts["cores"]
    assert isinstance(cores, int)
    assert cores >= 1


def test_no_nvidia_driver_is_no_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = check_gpu()
    assert finding.facts["nvidia"] == []
    assert finding.problems == ()


def test_an_nvidia_card_is_named_by_its_driver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "RTX A2000, 550.1, 6138 MiB"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin:/bin")
    assert check_gpu().facts["nvidia"] == ["RTX A2000, 550.1, 6138 MiB"]


def test_an_altered_model_is_a_blocking_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resources, "DEFAULT_BUNDLE", tmp_path)
    assert not check_up({"model": check_model}).is_fit


def test_a_missing_model_is_not_blamed_on_the_back_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resources, "DEFAULT_BUNDLE", tmp_path)
    assert check_backends().problems == ()


def test_a_missing_demo_clip_is_only_an_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resources, "DEMO_CLIP", tmp_path / "absent.mp4")
    checkup = check_up({"demo": check_demo})
    assert checkup.is_fit
    assert len(checkup.problems) == 1


def test_a_window_can_be_tried_without_opening_it_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert check_display().facts["opens"] is True


@pytest.mark.parametrize(("display", "is_fit"), [("", True), (":7", False)])
def test_qt_that_cannot_start_matters_only_where_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, display: str, is_fit: bool
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert check_up({"display": check_display}).is_fit is is_fit


@pytest.mark.parametrize(
    ("environment", "system", "expected"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_only_linux_can_be_without_a_display(
    environment: dict[str, str], system: str, expected: bool
) -> None:
    assert has_display(environment, system) is expected


def test_every_probe_has_a_topic_of_its_own() -> None:
    assert list(PROBES) == [
        "versions", "processor", "model", "backends", "decoders", "gpu", "display", "demo",
    ]  # fmt: skip


def test_the_back_end_that_would_be_used_is_named_with_the_reason() -> None:
    choice = check_backends().facts["choice"]
    assert isinstance(choice, str)
    assert choice.partition(",")[0].partition(":")[0] in BACKENDS
    assert "openvino" in choice
    assert " ms" in choice


def test_every_decoder_that_was_built_in_works_or_has_a_reason_not_to() -> None:
    facts = check_decoders().facts
    working, unusable = facts["hardware"], facts["unusable"]
    assert isinstance(working, list)
    assert isinstance(unusable, dict)
    assert {*map(str, working), *unusable} == set(hardware_kinds())


def test_where_a_cards_pictures_stay_is_told_only_where_it_decodes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.sources.decoders.hardware_kinds", lambda: ("cuda",))
    monkeypatch.setattr("engine.sources.decoders.hardware_problem", lambda kind: None)
    monkeypatch.setattr("engine.sources.decoders.keeping_problem", lambda: "torch is too old")
    told = "cuda: pictures go through main memory, torch is too old"
    assert told in check_decoders().lines
    monkeypatch.setattr("engine.sources.decoders.hardware_problem", lambda kind: "no driver")
    assert check_decoders().facts["kept"] is None


def test_a_remembered_back_end_that_works_no_longer_is_not_called_the_one_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used = str(check_backends().facts["choice"]).partition(",")[0].partition(":")[0]
    monkeypatch.setitem(BACKENDS, used, "engine.backends.absent:AbsentBackend")
    assert not str(check_backends().facts["choice"]).startswith((f"{used},", f"{used}:"))
