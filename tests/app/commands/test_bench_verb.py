from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.__main__ import BAD_INPUT, main
from engine.backends import BACKENDS
from engine.bundle import MANIFEST
from engine.sources import open_source
from engine.sources.pattern import read_code
from tests.fakes import brightness_bundle

PATTERN = "pattern:320x240@50,frames=25"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(brightness_bundle(tmp_path_factory.mktemp("bundle")).path)


@pytest.fixture(scope="module")
def report(bundle: str) -> dict[str, dict[str, object]]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert (
            main(
                ["bench", PATTERN, "--runs", "1", "--versus", "naive", "--json", "--bundle", bundle]
            )
            == 0
        )
    return dict(json.loads(out.getvalue()))


@pytest.mark.parametrize("way", ["paced", "flat_out"])
def test_both_ways_report_the_same_figures(report: dict[str, dict[str, object]], way: str) -> None:
    wanted = {"fps", "latency_ms", "analysed", "dropped", "mismatched", "stages_ms"}
    assert wanted <= set(report[way])


@pytest.mark.parametrize("way", ["paced", "flat_out"])
def test_no_picture_is_shown_with_other_folds(
    report: dict[str, dict[str, object]], way: str
) -> None:
    assert report[way]["mismatched"] == 0


def test_decoding_a_compressed_file_is_part_of_the_measure(
    report: dict[str, dict[str, object]],
) -> None:
    assert "h264" in str(report["source"]["decoder"])


def test_the_report_can_be_read_by_people(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", PATTERN, "--runs", "1", "--bundle", bundle]) == 0
    out = capsys.readouterr().out
    assert "## Paced" in out
    assert "## Flat out" in out
    assert "| end to end |" in out


def test_an_impossible_pattern_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "pattern:1x1"]) == BAD_INPUT
    assert "128x32" in capsys.readouterr().err


def test_a_pattern_video_carries_its_numbers(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    words = ["pattern", "-o", str(clip), "--size", "320x240", "--fps", "50", "--frames", "5"]
    assert main(words) == 0
    source = open_source(clip)
    frames = [source.read() for _ in range(5)]
    assert [read_code(frame.image) for frame in frames if frame is not None] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("option", [["--size", "big"], ["--fps", "0"], ["--frames", "-1"]])
def test_an_impossible_pattern_video_is_not_written(tmp_path: Path, option: list[str]) -> None:
    clip = tmp_path / "clip.mp4"
    assert main(["pattern", "-o", str(clip), *option]) == BAD_INPUT
    assert not clip.exists()


def test_the_report_names_the_back_end_and_why(report: dict[str, dict[str, object]]) -> None:
    backend = report["model"]
    assert backend["backend"] in BACKENDS
    assert " ms" in str(backend["choice"])


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "auto"])
def test_a_network_of_another_size_than_its_bundle_says_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], backend: str
) -> None:
    small = brightness_bundle(tmp_path / "small")
    manifest = json.loads((small.path / MANIFEST).read_text())
    manifest["input"]["size"] = 128
    (small.path / MANIFEST).write_text(json.dumps(manifest))
    words = ["bench", PATTERN, "--bundle", str(small.path), "--backend", backend]
    assert main(words) == BAD_INPUT
    assert "Traceback" not in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_is_told_and_harms_nothing(
    bundle: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("HAUSTRA_CACHE", str(tmp_path / "file" / "cache"))
    assert main(["bench", PATTERN, "--runs", "1", "--bundle", bundle]) == 0
    assert "Every start " in capsys.readouterr().err


def test_ours_is_set_beside_the_naive_way(report: dict[str, dict[str, object]]) -> None:
    assert set(report["versus_naive"]) == {"fps", "processor"}
    assert float(str(report["versus_naive"]["processor"])) > 0


def test_end_to_end_is_set_beside_the_slowest_stage(report: dict[str, dict[str, object]]) -> None:
    assert set(report["alone_fps"]) == {"decode", "segment", "follow", "paint"}
    assert float(str(report["versus_slowest"])) > 0


def test_json_markdown_and_a_chart_are_written(bundle: str, tmp_path: Path) -> None:
    words = ["bench", PATTERN, "--runs", "1", "--bundle", bundle, "-o", str(tmp_path / "b")]
    assert main(words) == 0
    assert json.loads((tmp_path / "b.json").read_text())["paced"]["frames"] == 25
    assert (tmp_path / "b.md").read_text().startswith("# pattern.mp4, 320x240")
    chart = ElementTree.parse(tmp_path / "b.svg").getroot()
    texts = [node.text for node in chart.iter() if node.tag.endswith("text")]
    assert {"segment", "end to end"} <= set(texts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.json", "b.md", "b.svg"]


def test_a_soak_tells_memory_and_p99_of_its_tenths(
    bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", PATTERN, "--soak", "60", "--json", "--bundle", bundle]) == 0
    soak = json.loads(capsys.readouterr().out)["soak"]
    assert (soak["frames"], soak["mismatched"], len(soak["p99_ms"])) == (60, 0, 10)


def test_the_naive_way_needs_a_video_file(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((64, 64, 3), np.uint8))
    words = ["bench", str(tmp_path), "--runs", "1", "--versus", "naive", "--bundle", bundle]
    assert main(words) == BAD_INPUT
    assert "video files only" in capsys.readouterr().err


def test_the_window_measures_itself(qapp: QApplication, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "pattern:160x96@50,frames=50", "--window", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["mismatched"] == 0
    assert told["painted"] > 0
