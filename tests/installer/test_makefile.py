"""What make does when; asked by --dry-run, so nothing is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.installer.stand_ins import ROOT


def make(folder: Path, *arguments: str) -> str:
    hidden = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VENV", "PYTHON")
    environment = {k: v for k, v in os.environ.items() if k not in hidden}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "installer", tmp_path / "installer")
    (tmp_path / ".venv").mkdir()
    return tmp_path


@pytest.mark.parametrize("target", ["demo", "test", "check", "clean", "help"])
def test_make_alone_teaches_every_target(target: str) -> None:
    assert f"make {target} " in make(ROOT)


def test_a_first_demo_installs_the_runtime_only(checkout: Path) -> None:
    steps = make(checkout, "--dry-run", "demo")
    assert "environment.sh runtime" in steps
    assert "environment.sh dev" not in steps


def test_a_second_demo_installs_nothing(checkout: Path) -> None:
    (checkout / ".venv" / "haustra-runtime.stamp").touch()
    assert "environment.sh" not in make(checkout, "--dry-run", "demo")


def test_changed_constraints_install_again(checkout: Path) -> None:
    (checkout / ".venv" / "haustra-runtime.stamp").touch()
    os.utime(checkout / ".venv" / "haustra-runtime.stamp", (1, 1))
    assert "environment.sh runtime" in make(checkout, "--dry-run", "demo")


def test_tests_run_after_the_checks(checkout: Path) -> None:
    steps = make(checkout, "--dry-run", "test")
    assert 0 < steps.index("check.sh") < steps.index("test.sh")
