"""Rows that are trained alike, and judged together by one command."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.__main__ import main
from train.depth.colon import save_colon
from train.networks.colon_depth import build_colon_depth
from train.translation import TRANSLATORS, build_translator
from train.translation.comparison import COMPARISONS, chosen_rows, read_comparison
from train.translation.training import CHECKPOINT

TINY = """
[pictures]
style = "plain"
size = 64
load_size = 64

[budget]
steps = 1

[rows.plain]
translator = "cyclegan"
options = {width = 4, blocks = 1}

[rows.adain.options]
width = 4

[rows.cut.options]
width = 4
blocks = 1
patches = 16
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_rows_share_all_but_translator_and_options(tiny: Path) -> None:
    rows = read_comparison(tiny)
    assert {name: row.translator for name, row in rows.items()} == {
        "plain": "cyclegan", "adain": "adain", "cut": "cut"
    }  # fmt: skip
    assert len({(row.pictures, row.budget, row.speed, row.seed) for row in rows.values()}) == 1
    assert rows["cut"].options == {"width": 4, "blocks": 1, "patches": 16}
    assert rows["cut"].name == "cut"


def test_rows_are_chosen_by_name_and_keep_their_order(tiny: Path) -> None:
    rows = read_comparison(tiny)
    assert list(chosen_rows(rows, ["cut", "plain"])) == ["plain", "cut"]
    assert chosen_rows(rows, []) == rows
    with pytest.raises(RecipeError, match="no row 'munit'"):
        chosen_rows(rows, ["munit"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "none"', "has no rows"),
        ("[rows.cut.pictures]\nsize = 64", "nothing but translator and options"),
        ("[rows.nothing]", "rows.nothing breaks a rule: translator is one of"),
        ("[rows.cut]\noptions = 3", "rows.cut: options must be a table"),
    ],
)
def test_a_comparison_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message):
        read_comparison(path)


@pytest.mark.parametrize("path", sorted(COMPARISONS.glob("*.toml")), ids=lambda path: path.stem)
def test_rows_of_shipped_comparisons_can_be_built(path: Path) -> None:
    rows = read_comparison(path)
    # One needs a diffusion model; the other is after folds, and translates by the way.
    elsewhere = {"inst", "foldit"}
    assert {row.translator for row in rows.values()} == TRANSLATORS.keys() - elsewhere
    with torch.device("meta"):
        for row in rows.values():
            build_translator(row.translator, row.options)


def test_one_command_trains_judges_and_shows_all_rows(
    tiny: Path, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = tmp_path / "real"
    real.mkdir()
    rng = np.random.default_rng(3)
    for number in range(8):
        image = rng.integers(40, 200, (64, 64, 3)).astype(np.uint8)
        cv2.imwrite(str(real / f"patient{number}x.png"), image)
    torch.manual_seed(1)
    weights = save_colon(tmp_path / "d.safetensors", build_colon_depth(pretrained=False), 64, "-")
    out = tmp_path / "out"
    arguments = [
        "translate", "compare", str(tiny), "--simulated", str(tiny_set), "--real", str(real),
        "-o", str(out), "--seeds", "1", "2", "--weights", str(weights), "--frames", "4",
    ]  # fmt: skip
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "Left out: adain. options.weights names no file" in printed
    assert printed.count("| plain |") == printed.count("| cut |") == 2
    assert "| cut, seed-2 |" not in printed
    assert '"cut, seed-2",' in (out / "translation.csv").read_text()
    assert (out / "sheet.jpg").is_file()
    assert main([*arguments, "--only", "adain"]) == 2
    assert "No row can be trained. adain: options.weights" in capsys.readouterr().err
    run = out / "cut" / "seed-2" / CHECKPOINT
    trained_ns = run.stat().st_mtime_ns
    assert main(arguments) == 0
    assert run.stat().st_mtime_ns == trained_ns
    # A row with one seed that fails keeps the other.
    shutil.copytree(out / "cut" / "seed-1", out / "cut" / "seed-3")
    arguments[arguments.index("2")] = "3"
    capsys.readouterr()
    assert main([*arguments, "--only", "cut"]) == 0
    printed = capsys.readouterr().out
    assert "Left out: cut." in printed and "another recipe" in printed
    assert printed.count("| cut |") == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--against", "munit"], "no row 'munit'"),
        (["--split", "exam"], "no split 'exam'"),
        (["--frames", "2"], "2 frames are too few"),
        (["--depth", "oracle"], "'oracle'"),
        (["--video", "nowhere"], "no finished simulated set"),
        (["--segmenter", "nowhere"], "nowhere"),
    ],
)
def test_what_would_stop_the_evaluation_is_told_before_the_training(
    tiny: Path, tiny_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    more: list[str], message: str,
) -> None:  # fmt: skip
    out = tmp_path / "out"
    arguments = ["translate", "compare", str(tiny), "--simulated", str(tiny_set)]
    assert main([*arguments, "--real", str(tmp_path), "-o", str(out), *more]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
