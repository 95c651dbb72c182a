"""Video files.

A frame's identity is its presentation time stamp. `pts_s` counts from the first frame shown, so
files that start late or below zero (edit lists, stream copies) all start at 0;
`SourceInfo.start_pts` keeps the file's own time. Seeking decodes forward from the key frame
before, so it is exact with B-frames and at a variable frame rate. `Frame.index` counts shown
frames; after a jump into a part that was never read it is estimated from the average rate, and
it is only a label.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import AUTO, Packet, SourceInfo
from engine.sources.decoders import OFF, Decoding, Trial, choose_threads, open_container
from engine.sources.on_card import CardKeeper
from engine.types import Frame, Image, read_only

_ASK_AGAIN = "Copy the file again from where it was recorded."
_QUARTER_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}
_SEEK_BACK_S = (0.0, 1.0, 5.0, 20.0)
_SCAN_AHEAD_S = 1.0


class VideoFile:
    """One video file, decoded by `decoder` (see `engine.sources.decoders.open_container`).

    Raises:
        SourceNotFoundError: the file does not exist.
        SourceError: it is no video, has no pictures, or none can be decoded.
    """

    def __init__(self, path: Path, decoder: str = AUTO) -> None:
        self._path = path.resolve()
        self._decoder = decoder
        self._container, self._stream, self._decoding = _open_stream(self._path, decoder)
        self._reformatter = VideoReformatter()
        self._keep = CardKeeper()
        self._packets: Iterator[Any] = iter(())
        self._decoded: deque[Any] = deque()
        self._pending: deque[Any] = deque()
        self._last_raw: Any = None
        self._damaged = 0
        self._trial = Trial()
        self._resume_after: int | None = None
        self._early_end: str | None = None
        self._is_resized = False
        self._listener: Callable[[Packet], None] | None = None
        self._known: dict[int, int] = {}
        self._index, self._is_index_exact = 0, True
        self._first_pts = 0
        self._raw_size = (0, 0)
        self._quarter_turn: int | None = None
        self._info = self._describe()
        self._rewind()
        first = self._next_raw()
        if first is None:
            self.close()
            raise SourceError(
                f"No picture in {self._path} can be decoded.", f"It may be damaged. {_ASK_AGAIN}"
            )
        self._first_pts = first.pts
        self._decoding = self._decoding.verified(self._stream.codec_context, first)
        self._quarter_turn = _QUARTER_TURNS.get(round(first.rotation / 90) * 90 % 360)
        self._raw_size = (first.width, first.height)
        self._info = self._describe()
        self._pending.append(first)

    @property
    def info(self) -> SourceInfo:
        """What is known about this source."""
        return self._info

    @property
    def note(self) -> str | None:
        """Damage met so far, an early end, a decoder that was not to be had."""
        parts = [each for each in (self._decoding.notice, self._keep.note) if each]
        if self._early_end:
            parts.append(self._early_end)
        if self._damaged:
            parts.append(f"{self._damaged} damaged pieces of {self._path.name} were passed over.")
        if self._is_resized:
            parts.append(
                f"The picture size changes within {self._path.name}; all frames were scaled "
                f"to {self._info.width}x{self._info.height}."
            )
        return " ".join(parts) or None

    def read(self) -> Frame | None:
        """The next frame in presentation order, None at the end."""
        raw = self._pending.popleft() if self._pending else self._next_raw()
        if raw is None:
            self._notice_early_end()
            return None
        self._last_raw = raw
        index = self._number(raw.pts)
        image = self._to_rgb(raw)
        on_card = self._keep(raw, image) if self._decoding.is_kept else None
        return Frame(index, self._pts_s(raw.pts), time.monotonic(), read_only(image), on_card)

    def seek(self, pts_s: float) -> None:
        """Make the next `read` return the frame shown at `pts_s`: the last one not after it."""
        base = self._info.time_base
        ticks = int(np.floor(pts_s * base.denominator / base.numerator + 0.01))
        target = self._first_pts + max(0, ticks)
        if not self._scan_ahead(target):
            self._scan_from_key_frame(target)
        first = self._pending[0].pts
        self._is_index_exact = first in self._known
        self._index = self._known.get(first, self._estimate_index(first))

    @property
    def offers_packets(self) -> bool:
        """Files always do."""
        return True

    def tap(self, listener: Callable[[Packet], None] | None) -> None:
        """Hand every packet that is read from now on to `listener`; None ends that.

        The first ones were read when the file was opened: seek to 0 to begin with them.
        """
        self._listener = listener

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._packets = iter(())
        self._decoded.clear()
        self._pending.clear()
        self._last_raw = None
        self._container.close()

    def _describe(self) -> SourceInfo:
        stream, (width, height) = self._stream, self._raw_size
        if self._quarter_turn in (cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE):
            width, height = height, width
        return SourceInfo(
            name=self._path.name,
            width=width,
            height=height,
            duration_s=self._duration_s(),
            frame_rate_hz=_frame_rate_hz(stream),
            frame_count=stream.frames or None,
            is_live=False,
            decoder=self._decoding.description,
            time_base=Fraction(stream.time_base),
            start_pts=self._first_pts,
        )

    def _duration_s(self) -> float | None:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration and self._container.duration > 0:
            return float(self._container.duration / av.time_base)
        return None

    def _rewind(self) -> None:
        self._packets = self._container.demux(self._stream)
        self._decoded.clear()
        self._pending.clear()
        self._last_raw = self._resume_after = None

    def _next_raw(self) -> Any:
        """The next decoded `av.VideoFrame` with a time stamp above the last, or None at the end."""
        while not self._decoded:
            packet = self._next_packet()
            if packet is not None:
                self._decode(packet)
                self._hand_on(packet)
            elif self._decoding.hardware is not None and self._trial.failed:
                self._fall_back()
            else:
                return None
        raw = self._decoded.popleft()
        last = None if self._last_raw is None else self._last_raw.pts
        if raw.pts is None:
            raw.pts = 0 if last is None else last + self._frame_ticks()
        elif last is not None and raw.pts <= last:
            raw.pts = last + 1
        self._last_raw = raw
        self._damaged += bool(raw.is_corrupt)
        return raw

    def _decode(self, packet: Any) -> None:
        try:
            pictures = packet.decode()
        except av.FFmpegError:
            self._damaged += 1
            if self._trial.is_lost(packet) and self._decoding.hardware is not None:
                self._fall_back()
            return
        if pictures:
            self._trial.passed()
        after = self._resume_after
        self._decoded.extend(
            raw for raw in pictures if after is None or raw.pts is None or raw.pts > after
        )
        if self._decoded:
            self._resume_after = None

    def _fall_back(self) -> None:
        """The hardware has failed: software goes on after the last picture."""
        last = self._last_raw
        self._container.close()
        self._decoder = OFF
        self._container, self._stream, _ = _open_stream(self._path, OFF)
        self._decoding = self._decoding.replaced(self._stream.codec_context)
        self._info = replace(self._info, decoder=self._decoding.description)
        self._damaged -= self._trial.failed
        self._trial.passed()
        if last is None:
            self._rewind()
            return
        with contextlib.suppress(av.FFmpegError, OSError):  # then it begins at the start
            self._container.seek(last.pts, stream=self._stream, backward=True)
        self._rewind()
        self._last_raw, self._resume_after = last, last.pts

    def _hand_on(self, packet: Any) -> None:
        listener = self._listener
        if listener is not None and packet is not _NOTHING and packet.pts is not None:
            listener(Packet(packet, self._stream, self._pts_s(packet.pts)))

    def _next_packet(self) -> Any:
        try:
            return next(self._packets, None)
        except (av.FFmpegError, OSError) as error:
            self._early_end = (
                f"{self._path.name} ends early: it is cut off or unreadable ({error})."
            )
            # An exhausted generator loses what the decoder still holds; an empty packet drains it.
            self._packets = iter(())
            with contextlib.suppress(av.FFmpegError):
                self._decoded.extend(self._stream.decode(None))
            return None if not self._decoded else _NOTHING

    def _notice_early_end(self) -> None:
        if self._early_end or self._info.duration_s is None or self._last_raw is None:
            return
        missing_s = self._info.duration_s - self._pts_s(self._last_raw.pts)
        interval_s = 1 / (self._info.frame_rate_hz or 1.0)
        if missing_s > max(1.0, 5 * interval_s):
            self._early_end = (
                f"{self._path.name} ends early: {missing_s:.1f} s of "
                f"{self._info.duration_s:.1f} s are missing."
            )

    def _scan_ahead(self, target: int) -> bool:
        """Find `target` by decoding on from here, if it lies a little ahead."""
        last = self._last_raw
        if last is None or self._pending:
            return False
        ahead_s = float((target - last.pts) * self._info.time_base)
        return 0 <= ahead_s <= _SCAN_AHEAD_S and self._scan(target, last)

    def _scan_from_key_frame(self, target: int) -> None:
        for back_s in _SEEK_BACK_S:
            offset = target - int(back_s / self._info.time_base)
            try:
                self._container.seek(offset, stream=self._stream, backward=True)
            except (av.FFmpegError, OSError):
                continue
            self._rewind()
            if self._scan(target, None):
                return
        # Some containers cannot seek at all: start again and decode up to the target.
        self._container.close()
        self._container, self._stream, _ = _open_stream(self._path, self._decoder)
        self._rewind()
        if not self._scan(target, None):
            raise SourceError(f"{self._path} can no longer be read.", _ASK_AGAIN)

    def _scan(self, target: int, previous: Any) -> bool:
        """Decode up to the frame shown at `target` and leave it in `_pending`."""
        while (raw := self._next_raw()) is not None:
            if raw.pts > target:
                break
            previous = raw
        if previous is None and raw is not None and raw.pts <= self._first_pts:
            previous, raw = raw, None
        if previous is None:
            return False
        self._pending.extend(each for each in (previous, raw) if each is not None)
        return True

    def _number(self, pts: int) -> int:
        index = self._index
        self._index += 1
        if self._is_index_exact:
            self._known.setdefault(pts, index)
        return index

    def _estimate_index(self, pts: int) -> int:
        return int(self._pts_s(pts) * (self._info.frame_rate_hz or 25.0) + 0.5)

    def _frame_ticks(self) -> int:
        rate = _frame_rate_hz(self._stream) or 25.0
        return max(1, round(1.0 / (rate * float(self._stream.time_base))))

    def _pts_s(self, pts: int) -> float:
        base = self._stream.time_base
        return float((pts - self._first_pts) * base.numerator / base.denominator)

    def _to_rgb(self, raw: Any) -> Image:
        if (raw.width, raw.height) != self._raw_size:
            self._is_resized = True
        width, height = self._raw_size
        converted = self._reformatter.reformat(
            raw, width, height, "rgb24", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        image = np.asarray(converted.to_ndarray(), np.uint8)
        if self._quarter_turn is not None:
            return np.asarray(cv2.rotate(image, self._quarter_turn), np.uint8)
        return image


class _Nothing:
    """Stands for a packet whose frames were already taken from the decoder."""

    def decode(self) -> list[Any]:
        return []


_NOTHING = _Nothing()


def _open_stream(path: Path, decoder: str) -> tuple[Any, Any, Decoding]:
    """The opened container, its first real video stream and what decodes it."""
    if not path.exists():
        raise SourceNotFoundError(f"There is no file {path}.", "Check the spelling.")
    try:
        # Playlists and the like may name network addresses; only files are opened here.
        container, decoding = open_container(
            str(path), decoder, options={"protocol_whitelist": "file"}
        )
    except av.FFmpegError as error:
        raise SourceError(*_why_it_does_not_open(path, error)) from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error}.", "Check its permissions.") from error
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & type(stream.disposition).attached_pic
    ]
    if not streams:
        container.close()
        raise SourceError(
            f"{path} holds no video, only sound or other data.", "Choose a file with a picture."
        )
    stream: Any = streams[0]
    if stream.codec_context is None:
        container.close()
        raise SourceError(f"{path} uses a video format unknown here.", "Convert it to H.264.")
    choose_threads(stream)
    return container, stream, decoding


def _frame_rate_hz(stream: Any) -> float | None:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return float(rate)
    return None


def _why_it_does_not_open(path: Path, error: Exception) -> tuple[str, str]:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as reason:
        return f"{path} cannot be read: {reason.strerror}.", "Check its permissions."
    if not head:
        return f"{path} is empty.", _ASK_AGAIN
    if head[4:8] in (b"ftyp", b"moov", b"mdat"):
        return (
            f"{path} is an MP4 whose index is missing: the recording was cut off.",
            f"{_ASK_AGAIN} If that is all there is, an MP4 repair tool may rebuild the index.",
        )
    return (
        f"{path} is not a video that can be opened ({getattr(error, 'strerror', error)}).",
        "Choose a video file such as MP4, MKV or AVI.",
    )
