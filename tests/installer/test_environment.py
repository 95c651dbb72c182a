"""Which Python is chosen, and what is said where none fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installer.stand_ins import ROOT, run_script, write_program

SCRIPT = ROOT / "installer" / "environment.sh"


def pretend_python(folder: Path, version: str, *, has_venv: bool = True) -> Path:
    """Answers as the script asks: which version, does it fit, can it make environments."""
    minor = int(version.split(".")[1])
    return write_program(
        folder / f"python-{version}",
        f"""case "$*" in
            --version) echo "Python {version}" ;;
            *version_info*) exit {0 if 11 <= minor <= 13 else 1} ;;
            *ensurepip*) exit {0 if has_venv else 1} ;;
            *) echo "$@" >> {folder}/asked; [ "$2" != venv ] || exit 9 ;;
        esac""",
    )


def complaint(folder: Path, python: str | Path) -> str:
    done = run_script(SCRIPT, "runtime", PYTHON=str(python), VENV=str(folder / "environment"))
    assert done.returncode == 1
    return done.stderr.strip()


@pytest.mark.parametrize("version", ["3.10.4", "3.14.0"])
def test_an_unfit_version_is_named_with_those_that_fit(tmp_path: Path, version: str) -> None:
    assert complaint(tmp_path, pretend_python(tmp_path, version)) == (
        f"Python {version} does not fit: Haustra needs Python 3.11, 3.12 or 3.13. "
        "Name one: make PYTHON=python3.12"
    )


def test_a_python_without_venv_leads_to_the_package(tmp_path: Path) -> None:
    python = pretend_python(tmp_path, "3.11.2", has_venv=False)
    assert "apt-get install -y python3-venv" in complaint(tmp_path, python)


def test_a_python_that_does_not_run_is_named(tmp_path: Path) -> None:
    assert complaint(tmp_path, tmp_path / "absent").startswith(f"'{tmp_path}/absent' does not run.")


def test_the_named_python_makes_the_environment(tmp_path: Path) -> None:
    python = pretend_python(tmp_path, "3.12.1")
    run_script(SCRIPT, "runtime", PYTHON=str(python), VENV=str(tmp_path / "environment"))
    assert (tmp_path / "asked").read_text() == f"-m venv --clear {tmp_path}/environment\n"


def test_the_versions_tested_together_are_installed(tmp_path: Path) -> None:
    python = pretend_python(tmp_path, "3.12.1")
    environment = tmp_path / "environment"
    write_program(environment / "bin" / "python", f'exec {python} "$@"')
    run_script(SCRIPT, "dev", VENV=str(environment))
    asked = (tmp_path / "asked").read_text()
    assert asked.endswith("--constraint constraints.txt --editable .[dev]\n")


@pytest.mark.parametrize(
    ("what", "stamps"),
    [("runtime", {"runtime"}), ("dev", {"runtime", "dev"})],
)
def test_a_finished_installation_leaves_its_stamp(
    tmp_path: Path, what: str, stamps: set[str]
) -> None:
    environment = tmp_path / "environment"
    python = pretend_python(tmp_path, "3.12.1")
    write_program(environment / "bin" / "python", f'exec {python} "$@"')
    run_script(SCRIPT, what, VENV=str(environment))
    assert {path.name for path in environment.glob("*.stamp")} == {
        f"haustra-{stamp}.stamp" for stamp in stamps
    }


def test_anything_else_is_answered_by_the_usage() -> None:
    assert run_script(SCRIPT, "everything").stderr.startswith("usage:")
