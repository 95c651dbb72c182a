from __future__ import annotations

from pathlib import Path

import pytest

from train.__main__ import VERBS, main


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out) > 200


def test_help_shows_the_one_command_that_does_everything(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "haustra-train reproduce student" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "nosuch", "--data", "x", "-o", "y"],
        ["train", "smoke", "--data", "nowhere", "-o", "{out}"],
        ["export", "nowhere", "--data", "x", "-o", "{out}"],
        ["evaluate", "nowhere", "--data", "x"],
        ["simulate", "-o", "{out}"],
        ["reproduce", "nosuch", "-o", "{out}"],
    ],
)
def test_a_wrong_command_ends_with_two_and_a_remedy(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.format(out=tmp_path / "out") for argument in arguments]
    assert main(filled) == 2
    assert capsys.readouterr().err.startswith("haustra-train: ")
