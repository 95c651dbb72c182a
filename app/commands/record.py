"""`haustra record`: record a source as it plays, raw or with the folds, and list them beside it.

The picture never waits for the disk: what it does not take in time is left out and counted. The
files can be read up to the last second at any moment, also after a power cut. Compressed pictures
are kept as they are where the source hands them out. The table OUT.jsonl has a line a picture,
with the times of the video. Ctrl+C ends the recording in good order.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.overlay import add_decoder_argument, add_model_arguments, refuse_to_overwrite
from engine.errors import RecordingError, SourceError
from engine.sources import open_source

if TYPE_CHECKING:
    from types import FrameType

    from engine.pipeline import Pipeline
    from engine.recording import Recording, RecordingStatus

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_LOOK_S = 0.2
_TELL_EVERY = 5


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `record`."""
    parser = subparsers.add_parser(
        "record",
        help="record a source as it plays, raw or with the folds, and list them beside it",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="a video, pictures or a live source")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT.mkv", help="the pictures as they came"
    )
    parser.add_argument(
        "--overlay", type=Path, metavar="OUT2.mkv", help="the pictures with their folds"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="of video (until it ends)")
    add_decoder_argument(parser)
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Record until the source ends, the time is up or Ctrl+C; 0. Raises HaustraError."""
    from app.provenance import provenance
    from engine.analyser import open_analyser
    from engine.pipeline import Pipeline
    from engine.recording import Recording, RecordingPlan

    refuse_to_overwrite(asked.source, asked.output, asked.overlay)
    RecordingPlan(asked.output, asked.overlay)
    with contextlib.ExitStack() as stack:
        opened = open_source(asked.source, decoder=asked.decoder)
        source = stack.enter_context(contextlib.closing(opened))
        analyser = open_analyser(asked.bundle, asked.backend, asked.threads)
        stack.enter_context(contextlib.closing(analyser))
        header = provenance(source.info, analyser)
        plan = RecordingPlan(asked.output, asked.overlay, header=header)
        recording = Recording(plan, source)
        stack.callback(recording.stop)
        if not source.info.is_live:
            # The first packets were read when the file was opened; now they pass the recording.
            source.seek(0.0)
        pipeline = Pipeline(source, analyser)
        pipeline.record(recording)
        stack.callback(pipeline.stop)
        told = stack.enter_context(_interrupted())
        pipeline.start()
        _watch(pipeline, recording, asked.seconds, told)
        pipeline.stop()
        has_ended = recording.stop()
        status = recording.status()
    if analyser.note is not None:
        print(f"haustra: {analyser.note}", file=sys.stderr)
    if status.fault is not None or not has_ended:
        raise RecordingError(status.fault or "The disk does not take what was recorded in time.")
    for path in (*plan.videos, plan.table):
        print(f"{path}: {_summary(status)}")
    return 0


def _watch(
    pipeline: Pipeline, recording: Recording, seconds: float | None, told: threading.Event
) -> None:
    """Until there is nothing more to record. Raises SourceError where playing broke."""
    looks = 0
    while not told.wait(_LOOK_S):
        played, status = pipeline.status(), recording.status()
        if played.fault is not None:
            raise SourceError(played.fault)
        is_analysed = played.analysed + played.dropped >= played.frames_in
        if status.fault is not None or (played.at_end and is_analysed):
            return
        if seconds is not None and status.elapsed_s >= seconds:
            return
        looks += 1
        if looks % _TELL_EVERY == 0 and sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{_summary(status)}")
            sys.stderr.flush()


def _summary(status: RecordingStatus) -> str:
    text = f"{status.elapsed_s:.1f} s, {status.pictures} pictures, {status.lost} lost"
    if status.free_bytes is not None:
        text += f", {status.free_bytes / 1e9:.1f} GB left"
    return text


@contextlib.contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl+C and a polite request to end set, instead of breaking in."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    ours = {number: signal.signal(number, tell) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value
