"""`haustra bench`: frame rate and latency from decoding to painting, on this machine.

Two runs. `paced` plays like a camera; late frames are dropped, and what counts is the latency
and the fraction analysed. `flat out` loses nothing; what counts is the frame rate. A source
`pattern:1280x720@50,frames=500` is first written as H.264, so that decoding is measured, and
proves by the number in each picture that it was shown with its own folds. A live source is
measured at its own pace only.
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
from engine.sources import open_source

if TYPE_CHECKING:
    from engine.benchmark import Measurement

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
    parser.add_argument("--fps", type=_positive, help="pace of the paced run (the source's own)")
    parser.add_argument(
        "--seconds", type=_positive, default=20.0, metavar="S", help="at most, each run (20)"
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")
    add_decoder_argument(parser)
    add_model_arguments(parser)
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Measure and print; 0. Raises HaustraError."""
    from engine.analyser import open_analyser
    from engine.benchmark import measure_flat_out, measure_paced

    with contextlib.ExitStack() as stack:
        spec = asked.source
        if spec.startswith("pattern:"):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="haustra-"))
            clip = Path(folder) / "pattern.mp4"
            write_pattern(spec, clip)
            spec = str(clip)
        source = stack.enter_context(contextlib.closing(open_source(spec, decoder=asked.decoder)))
        analyser = open_analyser(asked.bundle, asked.backend, asked.threads)
        stack.enter_context(contextlib.closing(analyser))
        paced = measure_paced(source, analyser, rate_hz=asked.fps, longest_s=asked.seconds)
        info = source.info
        flat_out = None
        if not info.is_live:
            flat_out = measure_flat_out(source, analyser, longest_s=asked.seconds)
        if analyser.note is not None:
            print(f"haustra: {analyser.note}", file=sys.stderr)
    if asked.json:
        report = {
            "source": {"name": info.name, "width": info.width, "height": info.height},
            "decoder": info.decoder,
            "model": analyser.description,
            "backend": {"name": analyser.backend.name, "choice": analyser.choice},
            "paced": paced.to_json(),
            "flat_out": None if flat_out is None else flat_out.to_json(),
        }
        print(json.dumps(report, indent=2))
        return 0
    print(f"{info.name}, {info.width}x{info.height}, {info.decoder}")
    print(f"{analyser.description} ({analyser.choice})")
    print(describe("paced", paced))
    if flat_out is not None:
        print(describe("flat out", flat_out))
    return 0


def describe(name: str, measured: Measurement) -> str:
    """Three lines for reading."""
    latency = measured.latency_ms
    spread = "no picture was painted"
    if latency is not None:
        spread = f"latency {latency.p50:.1f} ms, 99 % within {latency.p99:.1f} ms"
    stages = ", ".join(
        f"{stage} {spread.p50:.1f}/{spread.p99:.1f}" for stage, spread in measured.stages_ms.items()
    )
    codes = "no frame code" if measured.mismatched is None else f"{measured.mismatched} mismatched"
    return (
        f"{name}: {measured.fps:.1f} fps, {spread}\n"
        f"  {measured.frames} frames, {100 * measured.analysed:.1f} % analysed, "
        f"{measured.dropped} dropped, {codes}\n"
        f"  stages, ms p50/p99: {stages}"
    )


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value
