"""Recordings of real streams on the loopback interface."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from engine.pipeline import Pipeline
from engine.recording import Recording, RecordingPlan
from engine.sources import open_source
from engine.sources.pattern import read_code
from tests.engine.recording.test_tape import every_frame
from tests.engine.test_pipeline import WAIT_S, eventually
from tests.fakes import EasyAnalyser
from tests.streams import WAYS, Camera


class Watched:
    """A camera on a stream, played and recorded."""

    def __init__(self, way: str, path: Path) -> None:
        port = WAYS[way].free_port()
        self.camera = Camera(WAYS[way].outlet(port))
        self.source = open_source(WAYS[way].address.format(port=port))
        self.pipeline = Pipeline(self.source, EasyAnalyser())
        self.pipeline.start()
        self.recording = Recording(RecordingPlan(path), self.source)
        self.pipeline.record(self.recording)

    def records(self, count: int) -> bool:
        return eventually(lambda: self.recording.status().pictures >= count)

    def end(self) -> None:
        self.pipeline.record(None)
        assert self.recording.stop(WAIT_S)
        assert self.recording.status().fault is None

    def close(self) -> None:
        self.recording.stop(WAIT_S)
        self.pipeline.close(WAIT_S)
        self.camera.stop()


@pytest.fixture
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    made = Watched(request.param, tmp_path / "out.mkv")
    yield made
    made.close()


def _codec(path: Path) -> str:
    with av.open(str(path)) as container:
        return str(container.streams.video[0].codec_context.name)


@pytest.mark.parametrize("watched", ["udp"], indirect=True)
def test_packets_of_a_stream_are_kept_from_a_key_frame_on(watched: Watched, tmp_path: Path) -> None:
    assert watched.records(40)
    watched.end()
    frames = every_frame(tmp_path / "out.mkv")
    codes = [code for frame in frames if (code := read_code(frame.image)) is not None]
    assert len(codes) >= 35
    assert codes == list(range(codes[0], codes[0] + len(codes)))
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    rows = [row for line in lines if (row := json.loads(line))["kind"] == "frame"]
    times = [frame.pts_s for frame in frames]
    off_s = [min(abs(row["pts_s"] - time_s) for time_s in times) for row in rows[:-3]]
    assert max(off_s) < 2e-3


@pytest.mark.parametrize("watched", ["http"], indirect=True)
def test_a_stream_without_times_is_encoded_anew(watched: Watched, tmp_path: Path) -> None:
    assert watched.records(15)
    watched.end()
    assert _codec(tmp_path / "out.mkv") == "h264"
    codes = [read_code(frame.image) for frame in every_frame(tmp_path / "out.mkv")]
    assert None not in codes
