from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.benchmark import STAGES, Measurement, measure_flat_out, measure_paced
from engine.errors import BackendError
from engine.recorder import record_source
from engine.sources import VideoSource, open_source
from engine.sources.pattern import Pattern
from engine.stages import Analyse
from engine.types import Analysis, Frame
from tests.clips import ONE_PIXEL, write_clip
from tests.fakes import EasyAnalyser, FailingAnalyser

SPEC = "pattern:128x64@50,frames=25"


class Timed(EasyAnalyser):
    """Tells how long its stages took."""

    def __call__(self, frame: Frame) -> Analysis:
        timings = {"segment": 2.0, "instances": 1.0, "track": 0.5}
        return replace(super().__call__(frame), timings_ms=timings)


class Mixing(EasyAnalyser):
    """Hands out every frame with the picture of another."""

    def __call__(self, frame: Frame) -> Analysis:
        other = replace(frame, image=Pattern(SPEC).draw((frame.index + 3) % 25))
        return super().__call__(other)


def paced(source: VideoSource, analyser: Analyse) -> Measurement:
    return measure_paced(source, analyser, rate_hz=None, longest_s=20.0)


def flat_out(source: VideoSource, analyser: Analyse) -> Measurement:
    return measure_flat_out(source, analyser, longest_s=20.0)


Measure = Callable[[VideoSource, Analyse], Measurement]
both = pytest.mark.parametrize("measure", [paced, flat_out])


@both
def test_every_frame_that_came_is_counted(measure: Measure) -> None:
    assert measure(Pattern(SPEC), Timed()).frames == 25


@both
def test_every_stage_is_measured(measure: Measure) -> None:
    assert set(measure(Pattern(SPEC), Timed()).stages_ms) == set(STAGES)


@both
def test_folds_on_their_own_pictures_do_not_count_as_mismatched(measure: Measure) -> None:
    assert measure(Pattern(SPEC), Timed()).mismatched == 0


@both
def test_folds_on_other_pictures_are_noticed(measure: Measure) -> None:
    mismatched = measure(Pattern(SPEC), Mixing()).mismatched
    assert mismatched is not None
    assert mismatched > 0


@both
def test_codes_are_read_from_compressed_video(measure: Measure, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    for _ in record_source(Pattern(SPEC), clip):
        pass
    assert measure(open_source(clip), Timed()).mismatched == 0


@both
def test_without_codes_nothing_is_said_about_matches(measure: Measure, tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "one.mkv", ONE_PIXEL))
    assert measure(source, Timed()).mismatched is None


@both
def test_a_broken_model_stops_the_measure(measure: Measure) -> None:
    with pytest.raises(BackendError, match="broke"):
        measure(Pattern(SPEC), FailingAnalyser(at=8))


@both
def test_a_measure_ends_when_its_time_is_up(measure: Measure) -> None:
    source = Pattern("pattern:128x64@50,frames=1000000")
    limited = measure_flat_out if measure is flat_out else None
    if limited is not None:
        assert limited(source, Timed(), longest_s=0.1).frames < 1_000_000
    else:
        assert measure_paced(source, Timed(), rate_hz=None, longest_s=0.1).frames < 100


def test_flat_out_drops_nothing() -> None:
    measured = flat_out(Pattern(SPEC), Timed())
    assert (measured.analysed, measured.dropped) == (1.0, 0)


def test_paced_keeps_the_pace_asked_for() -> None:
    measured = measure_paced(Pattern(SPEC), Timed(), rate_hz=100.0, longest_s=20.0)
    assert 30 < measured.fps < 110


def test_the_report_is_plain_json_values() -> None:
    report = flat_out(Pattern(SPEC), Timed()).to_json()
    assert set(report) == {
        "fps", "latency_ms", "analysed", "dropped", "mismatched", "frames", "stages_ms",
    }  # fmt: skip
    assert set(report["latency_ms"]) == {"p50", "p95", "p99", "max"}
    assert report["stages_ms"]["segment"] == {"p50": 2.0, "p99": 2.0}
    assert isinstance(report["fps"], float)
    assert not isinstance(report["fps"], np.floating)
