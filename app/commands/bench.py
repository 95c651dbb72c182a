"""`haustra bench`: frame rate and latency from decoding to painting, on this machine.

Three runs each of two ways. `paced` plays like a camera; late frames are dropped, and what counts
is the latency and the fraction analysed. `flat out` loses nothing; what counts is the frame rate,
beside that of each stage alone. A source `pattern:1920x1080@50,frames=1000` is first written as
H.264, so that decoding is measured, and proves by the number in each picture that it was shown
with its own folds. `--window` measures in the real window, up to the moment of painting.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.overlay import add_decoder_argument, add_model_arguments
from app.commands.pattern import write_pattern
from app.progress import Progress
from engine.errors import RecordingError, SourceError
from engine.sources import VideoSource, open_source

if TYPE_CHECKING:
    from app.bench_report import BenchReport
    from engine.analyser import Analyser
    from engine.benchmark.naive import NaiveMeasurement
    from engine.benchmark.soak import Soak

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `bench`."""
    parser = subparsers.add_parser(
        "bench",
        help="measure frame rate and latency on this machine",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", metavar="SOURCE", help="a video, pictures, pattern:... or live")
    parser.add_argument("--frames", type=_count, default=1000, metavar="N", help="a run (1000)")
    parser.add_argument("--runs", type=_count, default=3, metavar="N", help="of each way (3)")
    parser.add_argument("--fps", type=_positive, help="pace of the paced runs (the source's own)")
    parser.add_argument(
        "--seconds", type=_positive, default=60.0, metavar="S", help="at most, each run (60)"
    )
    what = parser.add_argument_group("instead, or besides")
    what.add_argument("--versus", choices=["naive"], help="compare with the naive way")
    what.add_argument(
        "--soak", type=_count, metavar="FRAMES", help="only a very long run: memory and p99"
    )
    what.add_argument("--window", action="store_true", help="only the window's latency self-test")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="NAME", help="write NAME.json, NAME.md and NAME.svg"
    )
    add_decoder_argument(parser)
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Measure and print; 0. Raises HaustraError."""
    with contextlib.ExitStack() as stack:
        spec = asked.source
        if spec.startswith("pattern:"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="haustra-"))
            clip = Path(folder) / "pattern.mp4"
            write_pattern(spec, clip)
            spec = str(clip)
        if asked.window:
            return _run_window(spec, asked)
        report = _measure(spec, asked)
    if asked.output is not None:
        _write(report, asked.output)
    print(json.dumps(report.to_json(), indent=2) if asked.json else report.to_markdown())
    return 0


def _measure(spec: str, asked: argparse.Namespace) -> BenchReport:
    from app.bench_report import BenchReport
    from engine.analyser import open_analyser
    from engine.benchmark import Protocol, measure_alone, measure_flat_out, measure_paced

    with contextlib.ExitStack() as stack:
        source = stack.enter_context(contextlib.closing(open_source(spec, decoder=asked.decoder)))
        analyser = open_analyser(asked.bundle, asked.backend, asked.threads)
        stack.enter_context(contextlib.closing(analyser))
        about = _about(source), _about_model(analyser)
        if analyser.note is not None:
            print(f"haustra: {analyser.note}", file=sys.stderr)
        if asked.soak is not None:
            return BenchReport(*about, soak=_soak(source, analyser, asked.soak))
        protocol = Protocol(asked.frames, asked.runs, asked.seconds, asked.fps)
        paced = measure_paced(source, analyser, protocol)
        if source.info.is_live:
            return BenchReport(*_retold(source, about), paced)
        flat_out = measure_flat_out(source, analyser, protocol)
        alone = measure_alone(source, analyser, min(asked.frames, 200))
        naive = _naive(spec, analyser, asked) if asked.versus is not None else None
        return BenchReport(*_retold(source, about), paced, flat_out, alone, naive)


def _about(source: VideoSource) -> dict[str, object]:
    info = source.info
    return {
        "name": info.name,
        "width": info.width,
        "height": info.height,
        "decoder": info.decoder,
    }


def _retold(
    source: VideoSource, about: tuple[dict[str, object], dict[str, object]]
) -> tuple[dict[str, object], dict[str, object]]:
    """What really decoded is known only now."""
    return _about(source), about[1]


def _about_model(analyser: Analyser) -> dict[str, object]:
    return {
        "name": analyser.description,
        "backend": analyser.backend.name,
        "choice": analyser.choice,
    }


def _naive(spec: str, analyser: Analyser, asked: argparse.Namespace) -> NaiveMeasurement:
    from engine.backends import open_backend
    from engine.benchmark.naive import measure_naive
    from engine.errors import BackendError

    if not Path(spec).is_file():
        raise SourceError("The naive way reads video files only.", "Compare on a video or pattern.")
    bundle = analyser.bundle
    try:
        backend = open_backend(bundle, "onnxruntime")
    except BackendError:
        # Where ONNX Runtime is not installed, OpenVINO does; it may compute in bfloat16.
        backend = open_backend(bundle, "openvino")
    with contextlib.closing(backend):
        frames = min(asked.frames, 100)
        return measure_naive(Path(spec), backend, bundle.input.size, bundle.threshold, frames)


def _soak(source: VideoSource, analyser: Analyser, frames: int) -> Soak:
    from engine.benchmark.soak import soak

    progress = Progress(frames)
    try:
        return soak(source, analyser, frames, progress.advance)
    finally:
        progress.finish()


def _write(report: BenchReport, name: Path) -> None:
    texts = {
        ".json": json.dumps(report.to_json(), indent=2) + "\n",
        ".md": report.to_markdown(),
        ".svg": report.to_svg(),
    }
    for suffix, text in texts.items():
        path = name.with_name(name.name + suffix)
        part = path.with_name(path.name + ".part")
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise RecordingError(
                f"{path} cannot be written: {error.strerror}.", "Name another place with -o."
            ) from error


def _run_window(spec: str, asked: argparse.Namespace) -> int:
    from app.self_test import run_in_window

    result = run_in_window(spec, asked.seconds)
    print(json.dumps(result.to_json(), indent=2) if asked.json else result.sentence())
    return 0


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value < 10**9:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
