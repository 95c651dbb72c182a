"""A whole benchmark in little: trained, measured, written, gone on with."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.__main__ import build_parser
from train.benchmark.preparation import Workshop
from train.benchmark.recipe import BenchmarkRecipe, read_benchmark
from train.benchmark.report import Report
from train.benchmark.running import Benchmark
from train.commands import benchmark as command

TEXT = """
label = "region"
against = "plain"
seeds = 2
[simulate]
size = 64
[training.drawing]
batch = 2
workers = 0
[training.budget]
steps = 2
[translation.pictures]
style = "stored"
size = 64
load_size = 64
[translation.budget]
steps = 2
[translations.painted]
translator = "cyclegan"
options = { width = 4, blocks = 1, pool = 0 }
[rows.foldit]
options = { width = 4, blocks = 1, judge_width = 4 }
[rows.plain]
model = "little-endofm-transunet"
[rows.pairs]
model = "little-endofm-transunet"
pictures = "paired"
translation = "painted"
[rows.shipped]
model = "bundle"
[tests.own]
folder = "simulated"
[tests."own, painted"]
folder = "translated/painted"
[tests.foreign]
folder = "elsewhere"
"""

ROWS = ("foldit", "plain", "pairs", "shipped")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkRecipe:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TEXT)
    return read_benchmark(path)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    draw = np.random.default_rng(3)
    for number in range(2):
        picture = draw.integers(60, 200, (64, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


def run(recipe: BenchmarkRecipe, out: Path, real: Path | None) -> tuple[Report, list[str]]:
    said: list[str] = []
    return Benchmark(Workshop(recipe, out, real, said.append), None).run(), said


@pytest.fixture(scope="module")
def finished(
    recipe: BenchmarkRecipe, real: Path, stored_set: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """One seed first, then the other."""
    out = tmp_path_factory.mktemp("benchmark")
    shutil.copytree(stored_set, out / "simulated")
    run(replace(recipe, settings=replace(recipe.settings, seeds=1)), out, real)
    run(recipe, out, real)
    return out


def test_the_table_has_every_row_on_every_test_set(finished: Path) -> None:
    lines = list(csv.DictReader((finished / "benchmark.csv").read_text().splitlines()))
    assert [(line["test"], line["row"]) for line in lines] == [
        (test, row) for test in ("own", "own, painted") for row in ROWS
    ]
    # A bundle is what it is: no seed changes it.
    assert [line["seeds"] for line in lines] == ["2", "2", "2", "1"] * 2
    assert all(0 <= float(line["IoU"]) <= 1 for line in lines)
    assert [bool(line["p"]) for line in lines[:4]] == [True, False, True, True]


def test_the_table_says_what_is_left_out(finished: Path) -> None:
    text = (finished / "benchmark.md").read_text()
    assert "Left out: foreign. There is no folder elsewhere." in text
    assert "| pairs | little-endofm-transunet | paired | painted |" in text
    assert "| shipped | bundle | – | – |" in text
    json.loads((finished / "benchmark.json").read_text(), parse_constant=pytest.fail)


def test_pictures_lie_beside_the_table(finished: Path) -> None:
    names = {path.name for path in finished.iterdir() if path.suffix in (".jpg", ".png")}
    assert names == {
        f"{kind}-{test}.{suffix}"
        for kind, suffix in (("folds", "jpg"), ("calibration", "png"))
        for test in ("own", "own-painted")
    }
    assert len(list((finished / "sheets").iterdir())) == 8


def test_what_is_finished_is_not_done_again(
    finished: Path, recipe: BenchmarkRecipe, real: Path
) -> None:
    cells = sorted(finished.glob("cells/*/*/*.npz"))
    before = [path.stat().st_mtime_ns for path in cells]
    report, said = run(recipe, finished, real)
    assert said == []
    assert [path.stat().st_mtime_ns for path in cells] == before
    assert len(cells) == 2 * (3 * 2 + 1)
    assert report.text() + "\n" == (finished / "benchmark.md").read_text()


def test_a_longer_training_is_measured_anew(
    finished: Path, recipe: BenchmarkRecipe, real: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    plain = recipe.rows[1]
    budget = replace(plain.training.budget, steps=3)
    longer = replace(plain, training=replace(plain.training, budget=budget))
    rows = (recipe.rows[0], longer, *recipe.rows[2:])
    _, said = run(replace(recipe, rows=rows), out, real)
    assert sum("Going on from step 2" in each for each in said) == 2
    measured = [each for each in said if each.startswith("measure")]
    assert measured == [
        f"measure plain seed-{seed} on {test}"
        for seed in (1, 2)
        for test in ("own", "own, painted")
    ]


def test_without_real_frames_what_needs_them_says_so(
    recipe: BenchmarkRecipe, stored_set: Path, tmp_path: Path
) -> None:
    shutil.copytree(stored_set, tmp_path / "simulated")
    with pytest.raises(RecipeError, match="no real frames"):
        run(recipe, tmp_path, None)


def test_a_test_set_that_cannot_be_read_is_found_out_before_training(
    recipe: BenchmarkRecipe, real: Path, stored_set: Path, tmp_path: Path
) -> None:
    shutil.copytree(stored_set, tmp_path / "simulated")
    shutil.copytree(stored_set, tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "d" / "image" / "000000.png").unlink()
    with pytest.raises(RecipeError, match=r"000000.png cannot be read"):
        run(replace(recipe, tests=recipe.tests[2:]), tmp_path, real)
    assert not (tmp_path / "runs").exists()


def test_without_any_test_set_nothing_is_trained(
    recipe: BenchmarkRecipe, real: Path, tmp_path: Path
) -> None:
    alone = replace(recipe, tests=recipe.tests[2:])
    with pytest.raises(RecipeError, match="elsewhere"):
        run(alone, tmp_path, real)
    assert not list(tmp_path.iterdir())


def test_the_command_prints_the_table(
    finished: Path, real: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.toml").write_text(TEXT)
    arguments = ["benchmark", str(tmp_path / "tiny.toml"), "-o", str(finished), "--real", str(real)]
    command.run(build_parser().parse_args(arguments))
    assert "### own, painted" in capsys.readouterr().out
