"""`haustra pattern`: a test video whose frames carry their number, for `haustra bench`.

The number is a row of black and white cells along the bottom edge that survives compression.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from app.progress import Progress

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `pattern`."""
    parser = subparsers.add_parser(
        "pattern",
        help="write a test video whose frames carry their number",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp4")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="pixels (1280x720)")
    parser.add_argument("--fps", default="50", help="frames a second (50)")
    parser.add_argument("--frames", type=int, default=500, metavar="N", help="length (500)")
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Write the video; 0. Raises HaustraError."""
    spec = f"pattern:{asked.size}@{asked.fps},frames={asked.frames}"
    count = write_pattern(spec, asked.output)
    print(f"{asked.output}: {count} frames")
    return 0


def write_pattern(spec: str, path: Path) -> int:
    """Write the pattern that `spec` describes as H.264; the number of frames."""
    from engine.recorder import record_source
    from engine.sources import open_source

    source = open_source(spec)
    progress = Progress(source.info.frame_count)
    count = 0
    for _ in record_source(source, path):
        count += 1
        progress.advance()
    progress.finish()
    return count
