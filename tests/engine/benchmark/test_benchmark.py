from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.benchmark import (
    STAGES,
    Measurement,
    Protocol,
    measure_alone,
    measure_flat_out,
    measure_paced,
)
from engine.errors import BackendError
from engine.recorder import record_source
from engine.sources import VideoSource, open_source
from engine.sources.pattern import Pattern
from engine.stages import Analyse
from engine.types import Analysis, Frame
from tests.clips import ONE_PIXEL, write_clip
from tests.fakes import EasyAnalyser, FailingAnalyser

SPEC = "pattern:128x64@50,frames=25"
ONCE = Protocol(runs=1, longest_s=20.0)


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
    return measure_paced(source, analyser, ONCE)


def flat_out(source: VideoSource, analyser: Analyse) -> Measurement:
    return measure_flat_out(source, analyser, ONCE)


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
    way = measure_flat_out if measure is flat_out else measure_paced
    assert way(source, Timed(), Protocol(10**6, runs=1, longest_s=0.1)).frames < 100_000


@both
def test_a_measure_ends_after_so_many_frames(measure: Measure) -> None:
    source = Pattern("pattern:128x64@50,frames=1000000")
    way = measure_flat_out if measure is flat_out else measure_paced
    assert 20 <= way(source, Timed(), Protocol(20, runs=1)).frames < 200


def test_all_runs_count_and_each_is_told() -> None:
    measured = measure_flat_out(Pattern(SPEC), Timed(), Protocol(10, runs=3))
    assert (measured.frames, len(measured.runs)) == (30, 3)
    assert measured.mismatched == 0


def test_paced_runs_begin_at_the_start_each() -> None:
    measured = measure_paced(Pattern(SPEC), Timed(), Protocol(runs=2, rate_hz=200.0))
    assert measured.frames == 50
    assert measured.mismatched == 0


def test_flat_out_drops_nothing() -> None:
    measured = flat_out(Pattern(SPEC), Timed())
    assert (measured.analysed, measured.dropped) == (1.0, 0)


def test_paced_keeps_the_pace_asked_for() -> None:
    measured = measure_paced(Pattern(SPEC), Timed(), Protocol(runs=1, rate_hz=100.0))
    assert 30 < measured.fps < 110


def test_processor_time_is_that_of_all_threads() -> None:
    measured = flat_out(Pattern(SPEC), Timed())
    assert 0 < measured.processor_ms < 1e3 * measured.usage.elapsed_s
    assert measured.usage.memory_mib is None or measured.usage.memory_mib > 10


def test_every_stage_is_measured_alone() -> None:
    assert set(measure_alone(Pattern(SPEC), Timed(), 10)) == {"decode", "analyse", "paint"}


def test_stages_alone_are_measured_up_to_the_end_of_the_source() -> None:
    assert measure_alone(Pattern(SPEC), Timed(), 1000)["decode"] > 0


def test_the_report_is_plain_json_values() -> None:
    report = flat_out(Pattern(SPEC), Timed()).to_json()
    assert set(report) == {
        "fps", "latency_ms", "analysed", "dropped", "mismatched", "frames", "stages_ms",
        "processor_ms", "cores", "memory_mib", "gpu", "runs",
    }  # fmt: skip
    spread = {"mean", "p50", "p95", "p99", "p999", "max"}
    assert set(report["latency_ms"]) == spread
    assert set(report["stages_ms"]["segment"]) == spread
    assert report["stages_ms"]["segment"]["p999"] == 2.0
    assert isinstance(report["fps"], float)
    assert not isinstance(report["fps"], np.floating)
