"""The files of a recording: plain callables that know nothing of threads."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.overlay import OverlayStyle, paint_overlay
from engine.recorder import fold_row
from engine.recording.tape import DurableFile, PacketTape, PictureTape, failure
from engine.recording.timeline import Found, Pairs, Picture
from engine.sources import Packet, SourceInfo
from engine.types import Analysis, Frame, Image, read_only

OVERLAY_WAIT = 8
"""How many pictures wait for their folds before they are recorded bare; 50 MB at 1080p."""
_TABLE_WAIT = 256
_COUNTS_S = 1.0
_NO_IMAGE: Image = read_only(np.empty((0, 0, 3), np.uint8))


class Output(Protocol):
    """One file of a recording. Every verb may raise RecordingError."""

    def write(self, item: Any, /) -> None:
        """Keep one item."""
        ...

    def idle(self) -> None:
        """Nothing came for a while."""
        ...

    def finish(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Let go of the file as it is, readable so far."""
        ...


class RawCopy:
    """Packets as they came; a new file (`name-2.mkv`) where the source had to be opened again.

    Times run on in it, so that they are those of the table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = 0
        self._tape: PacketTape | None = None
        self._stream: Any = None
        self._zero_s = 0.0

    def write(self, packet: Packet) -> None:
        """Append a packet. The first of a stream must be a key frame."""
        if self._tape is None or self._stream is not packet.stream:
            if self._tape is None:
                self._zero_s = packet.pts_s
            self.finish()
            self._part += 1
            self._stream = packet.stream
            self._tape = PacketTape(self._name(), packet.stream, self._zero_s)
        self._tape.write(packet)

    def idle(self) -> None:
        """Hand the disk what is written."""
        if self._tape is not None:
            self._tape.idle()

    def finish(self) -> None:
        """Complete the file, if anything came."""
        if self._tape is not None:
            self._tape.finish()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        if self._tape is not None:
            self._tape.abandon()

    def _name(self) -> Path:
        suffix = "" if self._part == 1 else f"-{self._part}"
        return self._path.with_name(f"{self._path.stem}{suffix}{self._path.suffix}")


class RawPictures:
    """Pictures as they came, encoded."""

    def __init__(self, path: Path, info: SourceInfo) -> None:
        self._tape = PictureTape(path, info)
        self.idle, self.finish, self.abandon = (
            self._tape.idle, self._tape.finish, self._tape.abandon,
        )  # fmt: skip

    def write(self, item: Picture | Found) -> None:
        """Append a picture; folds do not matter here."""
        if isinstance(item, Picture):
            self._tape.write(item.frame.image, item.pts_s)


class OverlayPictures:
    """Pictures with the folds found in them; bare where none were found in time."""

    def __init__(self, path: Path, info: SourceInfo, style: OverlayStyle) -> None:
        self._tape = PictureTape(path, info)
        self._style = style
        self._pairs = Pairs(OVERLAY_WAIT)
        self.idle, self.abandon = self._tape.idle, self._tape.abandon

    def write(self, item: Picture | Found) -> None:
        """Append what is complete by now."""
        for picture, analysis in self._pairs.add(item):
            self._paint(picture, analysis)

    def finish(self) -> None:
        """Append what still waits, and complete the file."""
        for picture, analysis in self._pairs.rest():
            self._paint(picture, analysis)
        self._tape.finish()

    def _paint(self, picture: Picture, analysis: Analysis | None) -> None:
        image = picture.frame.image
        if analysis is not None:
            image = paint_overlay(image, analysis.folds, self._style)
        self._tape.write(image, picture.pts_s)


class Table:
    """JSON lines: what was used, a line a picture, counts every second, and how it ended.

    `frame` lines have `pts_s` (in the recording), `source_pts_s`, `index`, `trust` (0..1) and
    `folds`, both null where the picture was not analysed. `counts` and `end` lines have `frames`,
    `analysed` and `dropped` by file. A table without an `end` line was cut off.
    """

    def __init__(
        self, path: Path, header: Mapping[str, Any], dropped: Callable[[], Mapping[str, int]]
    ) -> None:
        self._path = path
        self._dropped = dropped
        self._pairs = Pairs(_TABLE_WAIT)
        self._frames = self._analysed = 0
        self._counted_s = 0.0
        self._file = DurableFile(path)
        self._put({"kind": "start", **header})

    def write(self, item: Picture | Found) -> None:
        """Append the lines that are complete by now."""
        if isinstance(item, Picture):
            # The table needs times only; pictures that wait here must not fill the memory.
            frame = Frame(item.frame.index, item.frame.pts_s, item.frame.captured_s, _NO_IMAGE)
            item = Picture(item.number, item.pts_s, frame)
        for picture, analysis in self._pairs.add(item):
            self._row(picture, analysis)

    def idle(self) -> None:
        """Hand the disk what is written."""
        try:
            self._file.sync_if_due()
        except OSError as error:
            raise failure(self._path, error) from error

    def finish(self) -> None:
        """Append what still waits and how it ended."""
        for picture, analysis in self._pairs.rest():
            self._row(picture, analysis)
        self._put({"kind": "end", **self._counts()})
        try:
            self._file.sync()
        except OSError as error:
            raise failure(self._path, error) from error
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _row(self, picture: Picture, analysis: Analysis | None) -> None:
        self._frames += 1
        self._analysed += analysis is not None
        self._put(
            {
                "kind": "frame",
                "pts_s": picture.pts_s,
                "source_pts_s": round(picture.frame.pts_s, 6),
                "index": picture.frame.index,
                "trust": None if analysis is None else round(analysis.trust, 3),
                "folds": None if analysis is None else [fold_row(fold) for fold in analysis.folds],
            }
        )
        if picture.pts_s - self._counted_s >= _COUNTS_S:
            self._counted_s = picture.pts_s
            self._put({"kind": "counts", **self._counts()})

    def _counts(self) -> dict[str, Any]:
        return {
            "frames": self._frames,
            "analysed": self._analysed,
            "dropped": dict(self._dropped()),
        }

    def _put(self, row: dict[str, Any]) -> None:
        try:
            self._file.write((json.dumps(row, separators=(",", ":")) + "\n").encode())
        except OSError as error:
            raise failure(self._path, error) from error
