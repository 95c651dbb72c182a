"""The table's text, from figures made by hand."""

import csv
import json
from pathlib import Path

import pytest

from tests.train.benchmark.scored import frame, run
from train.benchmark.figures import Measured, measured
from train.benchmark.recipe import BenchmarkRecipe, read_benchmark
from train.benchmark.report import Report

TEXT = """
[rows.first]
model = "little-transunet"
[rows.second]
model = "bundle"
[tests.colons]
[tests.polyps]
"""


@pytest.fixture
def recipe(tmp_path: Path) -> BenchmarkRecipe:
    (tmp_path / "two.toml").write_text(TEXT)
    return read_benchmark(tmp_path / "two.toml")


@pytest.fixture
def report(recipe: BenchmarkRecipe) -> Report:
    first = run(frame(0, (2, 1, 1)), frame(1, (1, 1, 2)), threshold=0.35)
    second = run(frame(0, (3, 0, 1)), frame(1, (2, 0, 2)))
    bare = run(frame(0, (0, 0, 0)), frame(1, (0, 0, 0)))
    bare.called[:] = [[5, 100], [0, 300]]
    table: dict[str, dict[str, Measured]] = {
        "colons": {"first": measured([first], None), "second": measured([second], [first])},
        "polyps": {"first": measured([bare], None)},
    }
    return Report(recipe, table, {"films": "There is no folder films."})


def test_the_papers_table_is_in_percent(report: Report) -> None:
    assert "| row | model | pictures | translation | colons | polyps |" in report.text()
    assert (
        "| first | little-transunet | simulated | – | 37.5 ± 12.5 | 1.2 % called |" in report.text()
    )
    assert "| second | bundle | – | – | 62.5 ± 12.5 | – |" in report.text()


def test_differences_and_thresholds_are_told(report: Report) -> None:
    line = next(each for each in report.text().splitlines() if each.startswith("| second | 0.6"))
    assert "+0.250 [+0.250, +0.250] | 0.500 |" in line
    assert line.endswith("| 0.625 | 0.50 |")


def test_what_is_not_known_is_a_dash_and_what_is_left_out_is_named(report: Report) -> None:
    polyps = report.text().split("### polyps")[1]
    # Two sequences, one of which is right: 5 of 400 pixels called.
    assert "| – | – | – | – | – | – | 0.013 [0.000, 0.050] |" in polyps
    assert "Left out: films. There is no folder films." in report.text()


def test_programs_get_the_same_numbers(report: Report, tmp_path: Path) -> None:
    report.write(tmp_path, {})
    lines = list(csv.DictReader((tmp_path / "benchmark.csv").read_text().splitlines()))
    assert [line["row"] for line in lines] == ["first", "second", "first"]
    assert (lines[1]["IoU"], lines[1]["IoU difference"], lines[2]["IoU"]) == ("0.625", "0.25", "")
    told = json.loads((tmp_path / "benchmark.json").read_text(), parse_constant=pytest.fail)
    assert told["tests"]["colons"]["first"]["figures"][0]["value"] == 0.375
    assert told["tests"]["polyps"]["first"]["figures"][0]["value"] is None
