"""Writes the frame of an overlay video in which the most folds are seen, as a PNG.

    python installer/still.py OVERLAY.mp4 TABLE.json OUT.png

TABLE.json is what `haustra overlay --table` wrote beside the video.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from engine.errors import HaustraError, RecordingError
from engine.sources import open_source
from engine.types import Image


def fullest_frame(frames: Sequence[Mapping[str, Any]]) -> float:
    """`pts_s` of the frame with the most folds; of those, the one where they are largest.

    Raises:
        ValueError: there are no frames.
    """
    if not frames:
        raise ValueError("the table lists no frames")

    def fullness(frame: Mapping[str, Any]) -> tuple[int, float]:
        folds = frame["folds"]
        return len(folds), sum(fold["area_px"] for fold in folds)

    return float(max(frames, key=fullness)["pts_s"])


def write_png(image: Image, path: Path) -> None:
    """Write an (H, W, 3) RGB picture, whole or not at all.

    Raises:
        RecordingError: the picture cannot be written.
    """
    unfinished = path.with_name(f".{path.stem}.unfinished.png")
    try:
        written = cv2.imwrite(str(unfinished), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error:
        written = False
    if not written:
        raise RecordingError(f"{path} cannot be written.", "Is there such a folder, and room?")
    unfinished.replace(path)


def main(video: Path, table: Path, picture: Path) -> int:
    """Write `picture`; 0, or 2 with a message where that fails."""
    try:
        frames = json.loads(table.read_text(encoding="utf-8"))["frames"]
        source = open_source(video)
        try:
            source.seek(fullest_frame(frames))
            frame = source.read()
        finally:
            source.close()
        if frame is None:
            raise RecordingError(f"{video} has no frame to show.", "Make it again.")
        write_png(frame.image, picture)
    except (HaustraError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:4])))
