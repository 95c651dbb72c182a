"""Headless verbs on live sources, and the verb that lists capture devices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.__main__ import main
from app.commands.devices import as_json, as_text
from engine.sources import open_source
from engine.sources.v4l2 import CaptureDevice, Mode
from tests.fakes import brightness_bundle
from tests.streams import free_port

_LIVE = "live:pattern:160x120@50,frames=500"
_CARD = CaptureDevice(
    "device:/dev/video0", "Capture 1", (Mode("mjpeg", 1920, 1080, (60.0,)), Mode("nv12", 640, 480))
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(brightness_bundle(tmp_path_factory.mktemp("bundle")).path)


def test_so_many_seconds_of_a_live_source_become_a_recording(tmp_path: Path, bundle: str) -> None:
    out = tmp_path / "out.mp4"
    assert main(["overlay", _LIVE, "-o", str(out), "--seconds", "0.5", "--bundle", bundle]) == 0
    source = open_source(out)
    assert source.info.duration_s == pytest.approx(0.5, abs=0.1)
    source.close()


def test_a_live_source_without_a_length_is_refused_with_the_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["overlay", _LIVE, "-o", str(tmp_path / "out.mp4")]) == 2
    assert "--seconds" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", [["bench"], ["overlay", "-o", "out.mp4", "--seconds", "1"]])
def test_a_stream_that_nobody_sends_ends_with_2_and_a_word(
    verb: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*verb, f"rtsp://127.0.0.1:{free_port()}/live"]) == 2
    told = capsys.readouterr().err
    assert "refuses the connection" in told
    assert "Traceback" not in told


def test_bench_measures_a_live_source_at_its_own_pace(
    bundle: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", _LIVE, "--seconds", "0.7", "--json", "--bundle", bundle]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flat_out"] is None
    assert told["paced"]["fps"] > 20
    assert told["paced"]["mismatched"] == 0


def test_devices_are_listed_with_a_way_to_open_each() -> None:
    assert as_text([_CARD]).splitlines() == [
        "Capture 1: haustra 'device:/dev/video0'",
        "  mjpeg 1920x1080 at 60 Hz",
        "  nv12 640x480",
        "",
        "With a mode: haustra 'device:/dev/video0?size=1920x1080&rate=60&format=mjpeg'",
    ]


def test_a_device_that_cannot_be_asked_says_why() -> None:
    told = as_text([CaptureDevice("device:/dev/video1", "Camera", problem="Permission denied")])
    assert "cannot be asked: Permission denied" in told


def test_no_device_is_said_in_words() -> None:
    assert as_text([]) == "There is no capture device."


def test_programs_get_plain_values() -> None:
    (mode, _) = as_json(_CARD)["modes"]
    assert mode == {"format": "mjpeg", "width": 1920, "height": 1080, "rates_hz": [60.0]}


def test_the_verb_works_where_there_is_no_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out), list)
