"""Recordings of a running pipeline, written to real files."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import RecordingError
from engine.pipeline import Pace, Pipeline
from engine.recording import RESERVE_BYTES, Recording, RecordingPlan
from engine.sources import VideoSource, open_source
from engine.sources.pattern import Pattern, read_code
from engine.timing import ManualClock
from tests.clips import B_FRAMES, Clip, write_clip
from tests.engine.recording.test_tape import every_frame
from tests.engine.test_pipeline import FRAME_S, WAIT_S, eventually
from tests.fakes import EasyAnalyser, GatedAnalyser

FRAMES = 40
_SPEC = f"pattern:160x96@50,frames={FRAMES}"


class Session:
    """A pipeline on a manual clock with a recording of it."""

    def __init__(
        self, plan: RecordingPlan, analyser: EasyAnalyser, source: VideoSource | None = None
    ) -> None:
        self.clock = ManualClock()
        self.source = source or Pattern(_SPEC)
        self.recording = Recording(plan, self.source)
        self.source.seek(0.0)
        self.pipeline = Pipeline(self.source, analyser, clock=self.clock)
        self.pipeline.record(self.recording)
        self.analyser = analyser
        self._played = 0

    def play(self, frames: int = FRAMES, *, waits: bool = True) -> None:
        """Up to so many; each is shown, analysed and, if one `waits`, recorded before the next."""
        self.pipeline.start()
        for number in range(self._played, frames):
            assert eventually(lambda n=number: self.pipeline.status().analysed > n)
            assert not waits or eventually(lambda: self.recording.status().waiting == 0)
            self.clock.advance(1 / (self.source.info.frame_rate_hz or 50.0) + 1e-6)
        self._played = frames

    def end(self) -> None:
        assert self.pipeline.stop(WAIT_S)
        assert self.recording.stop(WAIT_S)
        assert self.recording.status().fault is None


Record = Callable[..., Session]


@pytest.fixture
def record() -> Iterator[Record]:
    sessions: list[Session] = []

    def begin(
        plan: RecordingPlan,
        analyser: EasyAnalyser | None = None,
        source: VideoSource | None = None,
    ) -> Session:
        sessions.append(Session(plan, analyser or EasyAnalyser(), source))
        return sessions[-1]

    yield begin
    for session in sessions:
        if isinstance(session.analyser, GatedAnalyser):
            session.analyser.allow(10_000)
        session.pipeline.stop(WAIT_S)
        session.recording.stop(WAIT_S)


def lines_of(path: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["kind"] == kind]


@pytest.mark.parametrize("output", ["raw", "overlay"])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_every_picture_shown_is_recorded(
    record: Record, tmp_path: Path, output: str, suffix: str
) -> None:
    path = tmp_path / f"out{suffix}"
    session = record(RecordingPlan(**{output: path}))
    session.play()
    session.end()
    assert [read_code(frame.image) for frame in every_frame(path)] == list(range(FRAMES))


def test_the_table_has_the_times_of_the_video(record: Record, tmp_path: Path) -> None:
    session = record(RecordingPlan(tmp_path / "out.mkv"))
    session.play()
    session.end()
    rows = lines_of(tmp_path / "out.jsonl", "frame")
    frames = every_frame(tmp_path / "out.mkv")
    assert [row["pts_s"] for row in rows] == pytest.approx([frame.pts_s for frame in frames])
    assert [row["index"] for row in rows] == [read_code(frame.image) for frame in frames]


def test_the_table_holds_the_folds_of_every_picture(record: Record, tmp_path: Path) -> None:
    session = record(RecordingPlan(tmp_path / "out.mkv"))
    session.play()
    session.end()
    rows = lines_of(tmp_path / "out.jsonl", "frame")
    assert [len(row["folds"]) for row in rows] == [1] * FRAMES
    assert rows[0]["folds"][0]["contour"][0] == [10.0, 10.0]


def test_the_table_ends_by_telling_how_it_went(record: Record, tmp_path: Path) -> None:
    session = record(RecordingPlan(tmp_path / "out.mkv"))
    session.play()
    session.end()
    (end,) = lines_of(tmp_path / "out.jsonl", "end")
    assert (end["frames"], end["analysed"]) == (FRAMES, FRAMES)
    assert set(end["dropped"].values()) == {0}


def test_folds_are_painted_into_the_overlay_only(record: Record, tmp_path: Path) -> None:
    raw, overlay = tmp_path / "raw.mkv", tmp_path / "overlay.mkv"
    session = record(RecordingPlan(raw, overlay))
    session.play(5)
    session.end()
    bare, painted = every_frame(raw)[2].image, every_frame(overlay)[2].image
    off = np.abs(bare.astype(int) - painted).max(axis=2)
    assert off[8:33, 8:43].mean() > 20 * off[45:].mean()


def test_a_picture_that_was_not_analysed_is_recorded_bare(record: Record, tmp_path: Path) -> None:
    analyser = GatedAnalyser()
    session = record(RecordingPlan(overlay=tmp_path / "out.mkv"), analyser)
    session.pipeline.start()
    assert analyser.is_busy.wait(WAIT_S)
    for number in range(1, 6):
        session.clock.advance(FRAME_S + 1e-6)
        assert eventually(lambda n=number: session.pipeline.status().frames_in > n)
    analyser.allow(100)
    assert eventually(lambda: session.pipeline.status().analysed == 2)
    session.end()
    rows = lines_of(tmp_path / "out.jsonl", "frame")
    assert [row["folds"] is None for row in rows] == [False, True, True, True, True, False]
    assert len(every_frame(tmp_path / "out.mkv")) == 6


def test_jumps_of_the_player_leave_no_gap_and_no_step_back(record: Record, tmp_path: Path) -> None:
    session = record(RecordingPlan(tmp_path / "out.mkv"))
    session.play(3)
    session.pipeline.pause()
    for target_s in (0.5, 0.1):
        before = session.pipeline.status().analysed
        session.pipeline.seek(target_s)
        assert eventually(lambda n=before: session.pipeline.status().analysed > n)
    session.end()
    rows = lines_of(tmp_path / "out.jsonl", "frame")
    times = [row["pts_s"] for row in rows]
    assert times == pytest.approx([n * FRAME_S for n in range(len(rows))])
    assert [row["source_pts_s"] for row in rows[-2:]] == pytest.approx([0.5, 0.1])
    codes = [read_code(frame.image) for frame in every_frame(tmp_path / "out.mkv")]
    assert codes == [row["index"] for row in rows]
    assert codes[-2:] == [25, 5]


def test_packets_of_a_file_are_copied(record: Record, tmp_path: Path) -> None:
    original = write_clip(tmp_path / "clip.mp4", B_FRAMES)
    source = open_source(original)
    session = record(RecordingPlan(tmp_path / "out.mkv"), source=source)
    session.play(len(B_FRAMES.ticks))
    session.end()
    shown, copied = every_frame(original), every_frame(tmp_path / "out.mkv")
    assert len(copied) == len(shown)
    assert all(np.array_equal(a.image, b.image) for a, b in zip(shown, copied, strict=True))
    rows = lines_of(tmp_path / "out.jsonl", "frame")
    assert [row["pts_s"] for row in rows] == pytest.approx(
        [frame.pts_s for frame in copied], abs=1.01e-3
    )


def test_packets_are_not_copied_where_the_plan_says_so(record: Record, tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4", B_FRAMES))
    plan = RecordingPlan(tmp_path / "out.mkv", is_copied=False)
    session = record(plan, source=source)
    session.play(5)
    session.end()
    frames = every_frame(tmp_path / "out.mkv")
    assert [read_code(frame.image) for frame in frames[:5]] == list(range(5))


def test_playing_goes_on_while_the_disk_hangs_and_what_is_lost_is_counted(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, hangs = threading.Event(), threading.Event()

    def hang(_descriptor: int) -> None:
        hangs.set()
        assert gate.wait(WAIT_S)

    session = record(RecordingPlan(tmp_path / "out.mkv"))
    monkeypatch.setattr(os, "fdatasync", hang)
    monkeypatch.setattr("engine.recording.tape._SYNC_S", 0.0)
    assert hangs.wait(WAIT_S)
    session.play(waits=False)
    assert session.pipeline.status().frames_in == FRAMES
    assert session.recording.status().lost > 10
    gate.set()
    session.end()
    (end,) = lines_of(tmp_path / "out.jsonl", "end")
    assert end["dropped"]["raw"] == session.recording.status().dropped["raw"] > 10
    codes = [read_code(frame.image) for frame in every_frame(tmp_path / "out.mkv")]
    assert len(codes) == FRAMES - end["dropped"]["raw"]


def test_after_lost_packets_copying_goes_on_at_a_key_frame(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, hangs = threading.Event(), threading.Event()

    def hang(_descriptor: int) -> None:
        hangs.set()
        assert gate.wait(WAIT_S)

    monkeypatch.setattr("engine.recording._PACKETS", 4)
    clip = write_clip(tmp_path / "clip.mp4", Clip(ticks=range(48), options={"g": "8", "bf": "0"}))
    session = record(RecordingPlan(tmp_path / "out.mkv"), source=open_source(clip))
    monkeypatch.setattr(os, "fdatasync", hang)
    monkeypatch.setattr("engine.recording.tape._SYNC_S", 0.0)
    session.play(12, waits=False)
    assert hangs.wait(WAIT_S)
    assert eventually(lambda: session.recording.status().waiting >= 4)
    session.play(20, waits=False)
    monkeypatch.setattr("engine.recording.tape._SYNC_S", 1e9)
    gate.set()
    assert eventually(lambda: session.recording.status().waiting == 0)
    session.play(48)
    session.end()
    codes = [read_code(frame.image) for frame in every_frame(tmp_path / "out.mkv")]
    first_after = next(b for a, b in itertools.pairwise(codes) if b > a + 1)
    assert first_after % 8 == 0
    assert None not in codes
    assert len(codes) + session.recording.status().dropped["raw"] == 48


def test_stopping_is_bounded_while_the_disk_hangs(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, hangs = threading.Event(), threading.Event()

    def hang(_descriptor: int) -> None:
        hangs.set()
        assert gate.wait(WAIT_S)

    session = record(RecordingPlan(tmp_path / "out.mkv"))
    monkeypatch.setattr(os, "fdatasync", hang)
    monkeypatch.setattr("engine.recording.tape._SYNC_S", 0.0)
    assert hangs.wait(WAIT_S)
    assert not session.recording.stop(timeout_s=0.05)
    gate.set()


def test_a_disk_that_is_nearly_full_ends_the_recording_with_a_remedy(tmp_path: Path) -> None:
    source = Pattern(_SPEC)
    recording = Recording(
        RecordingPlan(tmp_path / "out.mkv"), source, room=lambda folder: RESERVE_BYTES - 1
    )
    status = recording.status()
    assert recording.stop(WAIT_S)
    assert status.fault is not None
    assert status.fault.startswith("Only 99 MB are left")
    assert "Free some space" in status.fault


@pytest.mark.parametrize("taken", ["out.mkv", "out.jsonl"])
def test_a_recording_overwrites_nothing(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("dear")
    with pytest.raises(RecordingError, match="exists already"):
        RecordingPlan(tmp_path / "out.mkv")


@pytest.mark.parametrize(
    ("raw", "overlay", "message"),
    [
        (None, None, "No file"),
        ("out.mkv", "out.mkv", "same name"),
        ("out.avi", None, "not a name"),
        ("none/out.mkv", None, "no folder"),
    ],
)
def test_a_plan_that_will_not_do_is_refused(
    tmp_path: Path, raw: str | None, overlay: str | None, message: str
) -> None:
    with pytest.raises(RecordingError, match=message):
        RecordingPlan(raw and tmp_path / raw, overlay and tmp_path / overlay)


_PLAYS_ON = """
import sys
from pathlib import Path
from engine.pipeline import Pipeline
from engine.recording import Recording, RecordingPlan
from engine.sources.pattern import Pattern
from tests.fakes import EasyAnalyser
source = Pattern("pattern:160x96@50,frames=100000")
plan = RecordingPlan(Path(sys.argv[1]), Path(sys.argv[2]))
recording = Recording(plan, source)
pipeline = Pipeline(source, EasyAnalyser())
pipeline.record(recording)
pipeline.start()
while True:
    print(recording.status().elapsed_s, flush=True)
"""


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_mid_way_a_recording_loses_no_more_than_two_seconds(
    tmp_path: Path, suffix: str
) -> None:
    raw, overlay = tmp_path / f"raw{suffix}", tmp_path / f"overlay{suffix}"
    command = [sys.executable, "-c", _PLAYS_ON, str(raw), str(overlay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as player:
        assert player.stdout is not None
        reached_s = 0.0
        for line in player.stdout:
            reached_s = float(line)
            if reached_s >= 3.0:
                break
        player.send_signal(signal.SIGKILL)
    for path in (raw, overlay):
        frames = every_frame(path)
        codes = [read_code(frame.image) for frame in frames]
        assert codes == sorted(codes)
        assert frames[-1].pts_s >= reached_s - 2.0
    *whole, _cut = (tmp_path / "raw.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in whole]
    assert max(row["pts_s"] for row in rows if row["kind"] == "frame") >= reached_s - 2.0


def test_a_recording_can_begin_and_end_while_the_pipeline_plays_flat_out(tmp_path: Path) -> None:
    source = Pattern("pattern:160x96@50,frames=2000")
    pipeline = Pipeline(source, EasyAnalyser(), pace=Pace.FLAT_OUT)
    pipeline.start()
    assert eventually(lambda: pipeline.status().frames_in > 50)
    recording = Recording(RecordingPlan(tmp_path / "out.mkv"), source)
    pipeline.record(recording)
    assert eventually(lambda: recording.status().pictures > 100)
    pipeline.record(None)
    assert recording.stop(WAIT_S)
    assert pipeline.stop(WAIT_S)
    status = recording.status()
    frames = every_frame(tmp_path / "out.mkv")
    assert len(frames) == status.pictures - status.dropped["raw"]
    assert frames[0].pts_s == 0.0
