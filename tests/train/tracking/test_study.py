"""The whole study on a tiny set, with the shipped model."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from train.__main__ import main
from train.tracking.following import Followed, Mean
from train.tracking.report import MEASURES, Report, Row
from train.tracking.scores import Scores
from train.tracking.sightings import Sighting


def test_the_verb_prints_one_table_and_draws_strips(
    video_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tracking", str(video_set), "-o", str(tmp_path / "out")]) == 0
    table = capsys.readouterr().out
    assert table == (tmp_path / "out" / "tracking.md").read_text()
    rows = json.loads((tmp_path / "out" / "tracking.json").read_text())["rows"]
    assert [(row["folds from"], row["tracker"]) for row in rows] == [
        ("oracle", "naive"), ("oracle", "ours"), ("model", "naive"), ("model", "ours"),
        ("model, steadied", "ours"),
    ]  # fmt: skip
    assert rows[1]["HOTA"]["value"] > 0.5
    assert cv2.imread(str(tmp_path / "out" / "tracking.jpg")).shape[1] == 192


def test_a_split_without_sequences_is_refused(
    video_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tracking", str(video_set), "-o", str(tmp_path), "--split", "train"]
    assert main(arguments) == 2
    assert "Choose one of: test" in capsys.readouterr().err


def followed(iou: float) -> Followed:
    sighting = Sighting(np.array([1]), np.array([1]), np.array([[iou]]))
    return Followed(
        Scores.of([sighting]), Mean.of([iou, float("nan")]), Mean.of([iou]), Mean.of([2.0])
    )


def test_a_row_adds_its_sequences_up() -> None:
    row = Row("oracle", "ours", (followed(1.0), followed(0.6)))
    measured = row.measured()
    assert list(measured) == list(MEASURES)
    assert measured["IoU"].value == pytest.approx(0.8)
    assert (measured["IoU"].low, measured["IoU"].high) == pytest.approx((0.6, 1.0))
    assert measured["MOTA"].value == 1.0


def test_the_table_shows_the_mean_time_and_how_steady_the_truth_is() -> None:
    report = Report((Row("oracle", "ours", (followed(1.0),)),), Mean.of([0.9]), 1)
    assert "mTC of the true masks 0.900" in report.table()
    assert report.table().endswith("| 2.00 |")
