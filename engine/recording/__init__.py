"""Records what plays, without ever making it wait.

```
 pipeline ── picture() ─┬─▶ queue ─▶ raw: packets as they came, or pictures encoded
             found()    ├─▶ queue ─▶ overlay: pictures with their folds painted in
                        └─▶ queue ─▶ table: one JSON line a picture
```
Each file has a bounded queue and a thread of its own, of lower priority than what plays. A full
queue drops what comes and counts it; the counts go into the table, which lies beside the videos.
Times run on through the jumps of the player, so a picture has one time in all files.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.recording.line import Line
from engine.recording.outputs import OverlayPictures, RawCopy, RawPictures, Table
from engine.recording.plan import RecordingPlan, RecordingStatus
from engine.recording.timeline import Found, Picture, Timeline
from engine.shown import Published
from engine.sources import Packet, PacketSource, VideoSource

__all__ = ["Recording", "RecordingPlan", "RecordingStatus"]

TABLE_SCHEMA = 1
RESERVE_BYTES = 100 << 20
"""Recording ends in good order before the disk is quite full."""
_PICTURES = 8
"""Uncompressed pictures that may wait in a queue; 50 MB at 1080p."""
_PACKETS = 512
_ROWS = 1024


def free_bytes(folder: Path) -> int:
    """Room left on the disk of `folder`. Raises OSError."""
    return shutil.disk_usage(folder).free


class Recording:
    """Begins at once. `picture` and `found` are called by the pipeline and never wait.

    Args:
        plan: which files.
        source: what plays; its packets are kept where it hands them out and the plan allows it.
        room: tells how many bytes are left on a folder's disk; injected by tests.

    Raises:
        RecordingError: a file cannot be created.
    """

    def __init__(
        self,
        plan: RecordingPlan,
        source: VideoSource,
        room: Callable[[Path], int] = free_bytes,
    ) -> None:
        self.plan = plan
        self._room = room
        info = source.info
        self._timeline = Timeline(1 / (info.frame_rate_hz or 25.0))
        self._pictures = 0
        self._elapsed_s = 0.0
        self._fault: str | None = None
        self._lines: dict[str, Line] = {}
        self._source: PacketSource | None = None
        self._stream: Any = None
        self._waits_for_key = True
        offers = isinstance(source, PacketSource) and source.offers_packets
        if plan.raw is not None and plan.is_copied and isinstance(source, PacketSource) and offers:
            self._source = source
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self._open(source)
            undo.pop_all()
        if self._source is not None:
            self._source.tap(self._packet)

    def _open(self, source: VideoSource) -> None:
        plan, info = self.plan, source.info
        if plan.raw is not None:
            if self._source is not None:
                self._lines["raw"] = Line("raw", RawCopy(plan.raw), _PACKETS)
            else:
                self._lines["raw"] = Line("raw", RawPictures(plan.raw, info), _PICTURES)
        if plan.overlay is not None:
            overlay = OverlayPictures(plan.overlay, info, plan.style)
            self._lines["overlay"] = Line("overlay", overlay, _PICTURES)
        header = {
            "schema": TABLE_SCHEMA,
            "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "source": {"name": info.name, "width": info.width, "height": info.height},
            "videos": {
                name: path.name
                for name, path in (("raw", plan.raw), ("overlay", plan.overlay))
                if path is not None
            },
            **plan.header,
        }
        self._lines["table"] = Line("table", Table(plan.table, header, self._dropped), _ROWS)

    # What the pipeline calls

    def picture(self, published: Published) -> None:
        """A picture was put on the screen."""
        if self._source is not None and self._waits_for_key and not self._pictures:
            return
        frame = published.frame
        pts_s = self._timeline.at(published.epoch, frame.pts_s)
        if pts_s is None:
            return
        self._pictures += 1
        self._elapsed_s = pts_s
        picture = Picture(published.number, pts_s, frame)
        for line in self._lines.values():
            if line.name != "raw" or self._source is None:
                line.offer(picture)

    def found(self, published: Published) -> None:
        """A picture was analysed."""
        found = Found(published.number, published.product)
        for line in self._lines.values():
            if line.name != "raw":
                line.offer(found)

    def _packet(self, packet: Packet) -> None:
        """A packet was read; after one was lost, nothing can be decoded before a key frame."""
        line = self._lines["raw"]
        if packet.stream is not self._stream:
            self._stream, self._waits_for_key = packet.stream, True
        if self._waits_for_key and not packet.data.is_keyframe:
            line.dropped += bool(self._pictures)
            return
        if self._waits_for_key:
            self._timeline.begin(packet.pts_s)
        self._waits_for_key = not line.offer(packet)

    # What its owner calls

    def status(self) -> RecordingStatus:
        """A snapshot; looks at the disk, but waits for no file."""
        faults = [line.fault for line in self._lines.values() if line.fault]
        waiting = max((line.waiting for line in self._lines.values()), default=0)
        free: int | None = None
        with contextlib.suppress(OSError):
            free = self._room(self.plan.table.parent)
        if not faults and free is not None and free < RESERVE_BYTES:
            faults = [
                f"Only {free >> 20} MB are left on the disk: recording has ended. "
                "What was recorded can be read. Free some space, or record elsewhere."
            ]
        self._fault = self._fault or (faults[0] if faults else None)
        return RecordingStatus(
            self._elapsed_s, self._pictures, self._dropped(), waiting, free, self._fault
        )

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Complete the files; False where the disk does not take them in time."""
        if self._source is not None:
            self._source.tap(None)
        others = [line for name, line in self._lines.items() if name != "table"]
        for line in others:
            line.end()
        ended = [line.join(timeout_s) for line in others]
        # Last, so that its final line knows what the others dropped.
        if table := self._lines.get("table"):
            table.end()
            ended.append(table.join(timeout_s))
        return all(ended)

    def _dropped(self) -> dict[str, int]:
        return {name: line.dropped for name, line in self._lines.items()}
