"""`haustra doctor`: its table, its JSON, its exit code."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.checkup import PROBES, Checkup, Finding, Problem
from app.commands import doctor

ROOT = Path(__file__).resolve().parents[3]
MENDABLE = Problem("Qt is gone.", "Bring it back.", is_blocking=True)
ADVICE = Problem("No display.", "Use the headless verbs.")


def checkup(*problems: Problem) -> Checkup:
    return Checkup({"display": Finding(("none", "at all"), {"opens": False}, problems)})


def doctor_without(module: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """`doctor --json` in a process where importing `module` fails as a broken library does."""
    (tmp_path / f"{module}.py").write_text("raise ImportError('lib.so: cannot open')\n")
    code = (
        "import argparse, sys; from app.commands import doctor;"
        "sys.exit(doctor.run(argparse.Namespace(json=True)))"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, "DISPLAY": ":7"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_table_names_what_to_do() -> None:
    assert "! Qt is gone. Bring it back." in doctor.as_text(checkup(MENDABLE))


def test_the_title_stands_beside_the_first_line_only() -> None:
    assert doctor.as_text(checkup()).splitlines()[:2] == ["Display    none", "           at all"]


def test_a_fit_installation_is_told_so_in_spite_of_advice() -> None:
    assert "Everything Haustra needs works here." in doctor.as_text(checkup(ADVICE))


def test_the_json_holds_facts_by_topic() -> None:
    assert json.loads(doctor.as_json(checkup()))["display"] == {"opens": False}


@pytest.mark.parametrize(
    ("problems", "is_ok"), [((), True), ((ADVICE,), True), ((MENDABLE,), False)]
)
def test_the_json_says_whether_all_is_well(problems: tuple[Problem, ...], is_ok: bool) -> None:
    assert json.loads(doctor.as_json(checkup(*problems)))["ok"] is is_ok


@pytest.mark.parametrize("module", ["PySide6", "openvino", "av"])
def test_a_library_that_cannot_load_still_gets_a_whole_report(module: str, tmp_path: Path) -> None:
    report = json.loads(doctor_without(module, tmp_path).stdout)
    assert set(report) == {"ok", "problems", *PROBES}


@pytest.mark.parametrize("module", ["PySide6", "av"])
def test_a_needed_library_that_cannot_load_ends_in_two(module: str, tmp_path: Path) -> None:
    assert doctor_without(module, tmp_path).returncode == 2


def test_the_verb_takes_json() -> None:
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    assert parser.parse_args(["doctor", "--json"]).json is True
