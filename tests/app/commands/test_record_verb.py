from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.__main__ import main
from engine.recorder import record_source
from engine.sources.pattern import Pattern, read_code
from tests.engine.recording.test_tape import every_frame
from tests.fakes import brightness_bundle

FRAMES = 30


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bundle") / "brightness"
    brightness_bundle(folder)
    return str(folder)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "coded.mp4"
    for _ in record_source(Pattern(f"pattern:160x96@50,frames={FRAMES}"), path):
        pass
    return path


def test_a_file_is_recorded_bit_by_bit_with_its_table(
    tmp_path: Path, clip: Path, bundle: str
) -> None:
    out = tmp_path / "out.mkv"
    assert main(["record", str(clip), "-o", str(out), "--bundle", bundle]) == 0
    frames, original = every_frame(out), every_frame(clip)
    assert len(frames) == FRAMES
    assert all(np.array_equal(a.image, b.image) for a, b in zip(frames, original, strict=True))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (rows[0]["kind"], rows[0]["model"]["name"]) == ("start", "brightness")
    times = [row["pts_s"] for row in rows if row["kind"] == "frame"]
    assert times == pytest.approx([frame.pts_s for frame in frames], abs=1.01e-3)
    assert rows[-1]["kind"] == "end"


def test_an_overlay_alone_is_recorded(tmp_path: Path, clip: Path, bundle: str) -> None:
    out = tmp_path / "folds.mp4"
    assert main(["record", str(clip), "--overlay", str(out), "--bundle", bundle]) == 0
    codes = [read_code(frame.image) for frame in every_frame(out)]
    assert set(codes) - {None} <= set(range(FRAMES))
    assert (tmp_path / "folds.jsonl").exists()


def test_recording_ends_after_so_many_seconds(tmp_path: Path, bundle: str) -> None:
    out = tmp_path / "out.mkv"
    spec = "pattern:160x96@50,frames=100000"
    assert main(["record", spec, "-o", str(out), "--seconds", "0.4", "--bundle", bundle]) == 0
    assert 0.4 <= every_frame(out)[-1].pts_s < 10


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_an_interrupt_ends_the_recording_in_good_order(tmp_path: Path, bundle: str) -> None:
    out = tmp_path / "out.mkv"
    command = [sys.executable, "-m", "app", "record", "pattern:160x96@50,frames=100000"]
    command += ["-o", str(out), "--bundle", bundle]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        table = tmp_path / "out.jsonl"
        while running.poll() is None:
            if table.exists() and table.read_text().count("frame") > 20:
                running.send_signal(signal.SIGINT)
                break
        output, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert "pictures, " in output
    assert json.loads(table.read_text().splitlines()[-1])["kind"] == "end"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No file to record to was named"),
        (["-o", "{}/out.avi"], "is not a name for a recording"),
        (["-o", "{}/none/out.mkv"], "There is no folder"),
        (["-o", "{}/a.mkv", "--overlay", "{}/a.mkv"], "same name"),
    ],
)
def test_what_will_not_do_is_said_before_anything_is_opened(
    tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(tmp_path) for word in arguments]
    assert main(["record", "pattern:160x96", *words]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
