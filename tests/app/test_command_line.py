from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from app.__main__ import VERBS, main

ROOT = Path(__file__).parents[2]
HEADLESS = ("overlay", "record", "bench", "build", "doctor", "pattern")


def test_help_teaches_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([verb, "--help"])
    assert stopped.value.code == 0
    assert f"usage: haustra {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_two_functions(verb: str) -> None:
    module = import_module(f"app.commands.{verb}")
    assert callable(module.add_parser)
    assert callable(module.run)


@pytest.mark.parametrize("verb", HEADLESS)
def test_headless_verbs_never_load_the_window(verb: str) -> None:
    probe = (
        "import sys, runpy\n"
        f"sys.argv = ['haustra', '{verb}', '--help']\n"
        "try: runpy.run_module('app', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, timeout=60
    )
    assert result.returncode == 0


def test_too_many_words_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["one.mp4", "two.mp4"])
    assert stopped.value.code == 2


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("haustra ")


def test_without_a_display_the_window_says_what_to_do_instead(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main([]) == 2
    assert "haustra overlay" in capsys.readouterr().err
