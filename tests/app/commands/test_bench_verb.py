from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

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
        assert main(["bench", PATTERN, "--json", "--bundle", bundle]) == 0
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
    assert "h264" in str(report["decoder"])


def test_the_report_can_be_read_by_people(bundle: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", PATTERN, "--bundle", bundle]) == 0
    out = capsys.readouterr().out
    assert "paced: " in out
    assert "flat out: " in out


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
    backend = report["backend"]
    assert backend["name"] in BACKENDS
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
    assert main(["bench", PATTERN, "--bundle", bundle]) == 0
    assert "Every start " in capsys.readouterr().err
