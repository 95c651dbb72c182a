"""`haustra overlay`: the folds of a whole recording, painted into a video and listed in a table.

Every frame is analysed and written. The video has the size, frame count and time stamps of the
source; its sound is not copied. Nothing is left behind where something goes wrong.

Of a live source so many `--seconds` are painted: as many frames as this machine can analyse.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.progress import Progress
from engine.errors import RecordingError, SourceError
from engine.sources import AUTO, VideoSource, open_source
from engine.sources.excerpt import Excerpt

if TYPE_CHECKING:
    from engine.analyser import Analyser
    from engine.overlay import OverlayStyle

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

TABLE_SCHEMA = 1


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `overlay`."""
    parser = subparsers.add_parser(
        "overlay",
        help="paint the folds into a video file, and list them in a table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="a video, pictures or a live source")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT.mp4", help="the painted video"
    )
    parser.add_argument("--table", type=Path, metavar="OUT.json", help="the folds of every frame")
    parser.add_argument("--fps", type=float, help="pictures a second, for a folder of pictures")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="the first S seconds; live sources need it"
    )
    add_decoder_argument(parser)
    add_model_arguments(parser)
    looks = parser.add_argument_group("looks")
    looks.add_argument("--no-fill", action="store_true", help="outlines only")
    looks.add_argument(
        "--opacity", type=_fraction, default=0.25, metavar="0..1", help="of the fill (0.25)"
    )
    looks.add_argument("--stroke", type=_stroke, metavar="PX", help="width of the outline, pixels")
    parser.set_defaults(run=run)


def add_decoder_argument(parser: argparse.ArgumentParser) -> None:
    """`--decoder`, for everything that opens a source."""
    parser.add_argument(
        "--decoder",
        default=AUTO,
        metavar="NAME",
        help="auto, off (software), cuda, d3d11va, videotoolbox or vaapi (auto)",
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """`--bundle`, `--backend` and `--threads`, for every verb that analyses."""
    model = parser.add_argument_group("model")
    model.add_argument("--bundle", type=Path, metavar="DIR", help="model bundle (the shipped one)")
    model.add_argument("--backend", metavar="NAME", help="inference back end (the fastest here)")
    model.add_argument(
        "--steady", action="store_true", help="average masks over time, against flicker"
    )
    model.add_argument("--threads", type=int, metavar="N", help="of the back end (chosen by it)")


def run(asked: argparse.Namespace) -> int:
    """Write the video and the table; 0. Raises HaustraError."""
    from engine.analyser import open_analyser
    from engine.overlay import OverlayStyle

    refuse_to_overwrite(asked.source, asked.output, asked.table)
    style = OverlayStyle(asked.opacity, not asked.no_fill, asked.stroke)
    with contextlib.closing(_open(asked)) as source:
        analyser = open_analyser(
            asked.bundle, asked.backend, asked.threads, is_steadied=asked.steady
        )
        with contextlib.closing(analyser):
            outcome = write_results(source, analyser, Results(asked.output, asked.table, style))
        print(f"{asked.output}: {outcome.frames} frames, folds in {outcome.with_folds} of them")
        if asked.table is not None:
            print(f"{asked.table}: {outcome.folds} outlines, {outcome.tracks} tracks")
        for note in filter(None, (source.note, analyser.note)):
            print(f"haustra: {note}", file=sys.stderr)
    return 0


def _open(asked: argparse.Namespace) -> VideoSource:
    """The source, cut to the seconds asked for."""
    source = open_source(asked.source, frame_rate_hz=asked.fps, decoder=asked.decoder)
    try:
        if asked.seconds is not None:
            return Excerpt(source, asked.seconds)
        if source.info.is_live:
            raise SourceError(f"{source.info.name} has no end.", "Say how long: --seconds 60")
    except SourceError:
        source.close()
        raise
    return source


@dataclass(frozen=True, slots=True)
class Results:
    """What to write, and how it looks."""

    video: Path
    table: Path | None
    style: OverlayStyle


@dataclass(slots=True)
class Outcome:
    """What was written."""

    frames: int = 0
    with_folds: int = 0
    folds: int = 0
    tracks: int = 0


def write_results(source: VideoSource, analyser: Analyser, results: Results) -> Outcome:
    """Analyse every frame and write it. Raises HaustraError, leaving no file behind."""
    from app.provenance import provenance
    from engine.offline import analyse_every_frame
    from engine.overlay import paint_overlay
    from engine.recorder import FoldTable, OverlayVideo

    outcome, tracks = Outcome(), set[int]()
    progress = Progress(source.info.frame_count)
    with contextlib.ExitStack() as stack:
        # Left in reverse order: the threads end first, then the table and the video are renamed.
        video = stack.enter_context(OverlayVideo(results.video, source.info))
        table = None
        if results.table is not None:
            header = {"schema": TABLE_SCHEMA, **provenance(source.info, analyser)}
            table = stack.enter_context(FoldTable(results.table, header))
        frames = stack.enter_context(contextlib.closing(analyse_every_frame(source, analyser)))
        stack.callback(progress.finish)
        for processed in frames:
            analysis = processed.analysis
            video.write(
                analysis, paint_overlay(analysis.frame.image, analysis.folds, results.style)
            )
            if table is not None:
                table.write(analysis)
            outcome.frames += 1
            outcome.with_folds += bool(analysis.folds)
            outcome.folds += len(analysis.folds)
            tracks.update(fold.track for fold in analysis.folds)
            progress.advance()
    outcome.tracks = len(tracks)
    return outcome


def refuse_to_overwrite(source: str, *outputs: Path | None) -> None:
    """Raises RecordingError where an output is the source, or two outputs are one file."""
    named = [output for output in outputs if output is not None]
    for output in named:
        if output.exists() and Path(source).exists() and output.samefile(source):
            raise RecordingError(
                f"{output} is the source itself.", "Name another file; the source stays as it is."
            )
        folder = Path(source)
        if folder.is_dir() and output.resolve().parent == folder.resolve():
            raise SourceError(
                f"{output} lies in the folder that is read.", "Write to another folder."
            )
    if len({output.resolve() for output in named}) < len(named):
        raise RecordingError("The video and the table have the same name.", "Name two files.")


def _fraction(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} does not lie between 0 and 1")
    return value


def _stroke(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= 64.0:
        raise argparse.ArgumentTypeError(f"{text} is no width between 0 and 64 pixels")
    return value
