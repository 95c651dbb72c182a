"""Video files that can be read up to the last second when the power fails while they are written.

Matroska with clusters of half a second, or MP4 in fragments of half a second; what is complete is
handed to the disk at least once a second. So a cut costs the last cluster and what the disk was
not told to keep yet: well under two seconds. A tape has its final name from the start, because
what it holds is of use at any moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from engine.errors import RecordingError
from engine.sources import Packet, SourceInfo
from engine.types import Image

TAPE_SUFFIXES = (".mkv", ".mp4")
MILLISECOND = Fraction(1, 1000)
"""The time base of every tape: Matroska knows no other."""
_SYNC_S = 1.0
_SMPTE_170M = 6
_LIMITED_RANGE = 1
_FORMATS: dict[str, tuple[str, dict[str, str]]] = {
    ".mkv": ("matroska", {"cluster_time_limit": "500", "flush_packets": "1"}),
    ".mp4": (
        "mp4",
        {
            "movflags": "frag_keyframe+empty_moov+default_base_moof",
            "frag_duration": "500000",
            "flush_packets": "1",
        },
    ),
}


class DurableFile:
    """A new binary file that reaches the disk within a second of being written.

    Raises:
        RecordingError: the folder is missing, or something bears that name already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o644)
        except FileExistsError as error:
            raise RecordingError(
                f"{path} exists already.", "Name another file; recordings are never overwritten."
            ) from error
        except OSError as error:
            raise failure(path, error) from error
        self._synced_s = time.monotonic()

    def write(self, data: bytes) -> int:
        """Write all of `data`; hands it to the disk if that is due. Raises OSError."""
        rest = memoryview(data)
        while len(rest):
            rest = rest[os.write(self._descriptor, rest) :]
        self.sync_if_due()
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place in the file."""
        return os.lseek(self._descriptor, offset, whence)

    def tell(self) -> int:
        """Where the next byte goes."""
        return os.lseek(self._descriptor, 0, os.SEEK_CUR)

    def sync_if_due(self) -> None:
        """Once a second, wait until everything written lies on the disk."""
        if time.monotonic() - self._synced_s >= _SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Wait until everything written lies on the disk. Raises OSError."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)
        self._synced_s = time.monotonic()

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def failure(path: Path, error: Exception) -> RecordingError:
    """What went wrong while writing `path`, and what to do."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return RecordingError(
            f"There is no room left for {path.name}: recording has ended.",
            "What was recorded so far can be read. Free some space, or record elsewhere.",
        )
    reason = getattr(error, "strerror", None) or str(error)
    return RecordingError(
        f"{path} cannot be written: {reason}.",
        "Check the disk and the permissions there, or name another place.",
    )


class _Tape:
    """A container on a `DurableFile`, with one video stream that a subclass adds."""

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in TAPE_SUFFIXES:
            raise RecordingError(
                f"{path.name} is not a name for a recording.",
                f"Let it end in {' or '.join(TAPE_SUFFIXES)}.",
            )
        name, options = _FORMATS[path.suffix.lower()]
        self.path = path
        self.frames = 0
        """Pictures written so far."""
        self._file = DurableFile(path)
        self._container: Any = av.open(self._file, "w", format=name, container_options=options)

    def idle(self) -> None:
        """Nothing came for a while: hand the disk what is written. Raises RecordingError."""
        try:
            self._file.sync_if_due()
        except OSError as error:
            raise failure(self.path, error) from error

    def finish(self) -> None:
        """Complete the file, so that players can seek in it. Raises RecordingError."""
        try:
            self._drain()
            self._container.close()
            self._file.sync()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise failure(self.path, error) from error
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Let go of the file as it is. May be called twice, also after `finish`."""
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):
            self._container.close()
        self._file.close()

    def _drain(self) -> None:
        """Write what an encoder still holds."""


class PacketTape(_Tape):
    """Compressed pictures as their source delivered them, not encoded again."""

    def __init__(self, path: Path, stream: Any, zero_s: float) -> None:
        """Take packets of `stream`; what is `zero_s` there is 0 on the tape."""
        super().__init__(path)
        self._stream = self._container.add_stream_from_template(stream)
        self._zero_s = zero_s
        self._last_dts: int | None = None

    def write(self, packet: Packet) -> None:
        """Append one packet; what was shown before the tape begins is left out."""
        if packet.pts_s < self._zero_s:
            return
        copy = av.Packet(bytes(packet.data))
        copy.is_keyframe = packet.data.is_keyframe
        base = packet.data.time_base
        shift = packet.data.pts - round((packet.pts_s - self._zero_s) / base)
        copy.time_base, copy.pts = base, packet.data.pts - shift
        dts = packet.data.pts if packet.data.dts is None else packet.data.dts
        copy.dts = dts - shift
        if self._last_dts is not None and copy.dts <= self._last_dts:
            return
        self._last_dts = copy.dts
        copy.stream = self._stream
        try:
            self._container.mux(copy)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise failure(self.path, error) from error
        self.frames += 1


class PictureTape(_Tape):
    """Pictures encoded as H.264 without delay, a key frame every second."""

    def __init__(self, path: Path, info: SourceInfo, quality: int = 20) -> None:
        super().__init__(path)
        rate = Fraction(info.frame_rate_hz or 25.0).limit_denominator(1001)
        # Half of the cores at most: the pictures on the screen come first.
        threads = max(1, (os.cpu_count() or 2) // 2)
        options = {"preset": "superfast", "tune": "zerolatency", "crf": str(quality)}
        options |= {"g": str(max(1, round(rate))), "threads": str(threads)}
        stream = self._container.add_stream("libx264", rate=rate, options=options)
        is_even = info.width % 2 == 0 and info.height % 2 == 0
        stream.width, stream.height = self._size = info.width, info.height
        stream.pix_fmt = "yuv420p" if is_even else "yuv444p"
        stream.time_base = stream.codec_context.time_base = MILLISECOND
        stream.codec_context.colorspace = _SMPTE_170M
        stream.codec_context.color_range = _LIMITED_RANGE
        self._stream = stream
        self._last_pts = -1

    def write(self, image: Image, pts_s: float) -> None:
        """Append an (H, W, 3) picture at `pts_s` seconds from the start of the tape."""
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        if (picture.width, picture.height) != self._size:
            picture = picture.reformat(*self._size)
        picture.pts = self._last_pts = max(round(pts_s / MILLISECOND), self._last_pts + 1)
        picture.time_base = MILLISECOND
        self._encode(picture)
        self.frames += 1

    def _drain(self) -> None:
        self._encode(None)

    def _encode(self, picture: Any) -> None:
        try:
            self._container.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise failure(self.path, error) from error
