"""A feed read by FFmpeg: a network stream, a capture device or the screen.

Joining a stream in the middle of a group of pictures, lost packets and flipped bits all end in
packets that do not decode: they are passed over and told. What arrives is stamped at once, before
it is decoded.

Where a machine decodes more slowly than pictures come, they pile up in sockets, and every picture
would be older than the one before. Data that had not to be waited for shows it; then what has piled
up is dropped, and decoding goes on at the next key frame.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from engine.errors import SourceError
from engine.sources import AUTO
from engine.sources.decoders import OFF, Decoding, Trial, choose_threads, open_container
from engine.sources.live import Picture
from engine.sources.on_card import CardKeeper
from engine.timing import Clock, SystemClock
from engine.types import Image

STALL_S = 1.0
"""A feed that sends nothing for this long is hung up and opened anew."""
_KNOWN_ARRIVALS = 64
_WAITED_S = 0.001
"""Less than this is no waiting: the packet had been there."""
_BEHIND_S = 0.25
"""No waiting for so long means that pictures pile up."""
_TIMELESS = frozenset({"mjpeg", "mpjpeg"})
"""Formats without time stamps; FFmpeg makes them up, 25 a second."""


@dataclass(frozen=True, slots=True)
class Input:
    """What FFmpeg is to open."""

    name: str
    """For people: no password in it."""
    url: str
    format: str | None = None
    """FFmpeg's name of the demuxer, None to find out."""
    options: Mapping[str, str] = field(default_factory=dict)
    decoder: str = AUTO
    remedy: str = "Check the address, and that the sender is running."
    """What to do where it cannot be opened for a reason that explains itself."""


class AvFeed:
    """One connection.

    Raises:
        SourceError: it cannot be opened within `timeout_s`, or carries no video.
    """

    def __init__(self, asked: Input, timeout_s: float, clock: Clock | None = None) -> None:
        self._asked = asked
        self._clock: Clock = clock or SystemClock()
        self._timeout_s = timeout_s
        self._trial = Trial()
        self._packets: Iterator[Any]
        self._decoding = self._connect()
        self._decoded: deque[Picture] = deque()
        self._arrivals_s: dict[int, float] = {}
        self._reformatter = VideoReformatter()
        self._keep = CardKeeper()
        self._is_timeless = self._container.format.name in _TIMELESS
        self._has_shown = False
        self._is_damaged = False
        self._caught_up_s = self._clock.now_s()
        self._awaits_key = self._is_slow = False
        self._packet: Any = None
        self._listener: Callable[[Any, Any], None] | None = None

    @property
    def decoder(self) -> str:
        """What really decodes, for people."""
        return self._decoding.description

    @property
    def frame_rate_hz(self) -> float | None:
        """As the stream states it; many state nonsense, which is left out."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        is_likely = bool(rate) and 1 <= rate <= 240 and not self._is_timeless
        return float(rate) if is_likely else None

    @property
    def note(self) -> str | None:
        """Damage, or a decoder that was not to be had."""
        name = self._asked.name
        damage = f"Pictures of {name} arrive damaged; check cable and network."
        slow = f"{name} is decoded too slowly here, pictures are left out; have it sent smaller."
        parts = [
            self._decoding.notice,
            self._keep.note,
            damage if self._is_damaged else None,
            slow if self._is_slow else None,
        ]
        return " ".join(filter(None, parts)) or None

    @property
    def offers_packets(self) -> bool:
        """They are compressed, and the sender tells their times."""
        return not self._is_timeless and self._stream.codec_context.name != "rawvideo"

    def tap(self, listener: Callable[[Any, Any], None] | None) -> None:
        """Hand every packet and its stream to `listener`; None ends that.

        It begins with that of the first picture. Each follows at the next `read`, when its picture
        has its place in time.
        """
        self._listener = listener

    def read(self) -> Picture | None:
        """The next picture, None where the data that came made none yet."""
        if not self._decoded:
            self._hand_on()
            asked_s = self._clock.now_s()
            packet = self._next_packet()
            arrived_s = self._clock.now_s()
            if packet.pts is not None:
                self._note_arrival(packet.pts, arrived_s)
            if self._is_left_out(packet, asked_s, arrived_s):
                self._packet = packet if packet.pts is not None else None
                return None
            try:
                raws = packet.decode()
            except av.FFmpegError:
                # Until the first picture this is only a stream joined in its middle.
                self._is_damaged |= self._has_shown
                if self._trial.is_lost(packet) and self._decoding.hardware is not None:
                    self._fall_back()
                return None
            if raws:
                self._trial.passed()
            self._decoded.extend(self._picture(raw, arrived_s) for raw in raws)
            self._packet = packet if self._has_shown and packet.pts is not None else None
        return self._decoded.popleft() if self._decoded else None

    def close(self) -> None:
        """Hang up."""
        self._packets = iter(())
        self._container.close()

    def _connect(self) -> Decoding:
        self._container, decoding = _connect(self._asked, self._timeout_s)
        self._stream = _video_stream(self._container, self._asked)
        choose_threads(self._stream, is_live=True)
        self._packets = self._container.demux(self._stream)
        return decoding

    def _fall_back(self) -> None:
        """The hardware has failed: connect anew, and have software decode."""
        self._container.close()
        self._asked = replace(self._asked, decoder=OFF)
        failed, self._decoding = self._decoding, self._connect()
        self._decoding = failed.replaced(self._stream.codec_context)
        self._trial.passed()
        self._is_damaged = False

    def _next_packet(self) -> Any:
        try:
            packet = next(self._packets, None)
        except (av.FFmpegError, OSError) as error:
            raise _lost(self._asked, error) from error
        # An empty packet asks the decoder for what it still holds: the stream has ended.
        if packet is None or packet.size == 0:
            raise SourceError(f"{self._asked.name} has ended.", "Start the sender again.")
        return packet

    def _is_left_out(self, packet: Any, asked_s: float, arrived_s: float) -> bool:
        """Whether a packet is not to be decoded, because pictures pile up or did just now."""
        if arrived_s - asked_s > _WAITED_S:
            self._caught_up_s = arrived_s
        is_behind = arrived_s - self._caught_up_s > _BEHIND_S
        self._is_slow |= is_behind
        self._awaits_key |= is_behind
        if self._awaits_key and packet.is_keyframe and not is_behind:
            self._awaits_key = False
        return self._awaits_key

    def _hand_on(self) -> None:
        """Hand the last packet on, now that its picture has its place in time."""
        packet, self._packet = self._packet, None
        if self._listener is not None and packet is not None:
            self._listener(packet, self._stream)

    def _note_arrival(self, pts: int, arrived_s: float) -> None:
        self._arrivals_s[pts] = arrived_s
        while len(self._arrivals_s) > _KNOWN_ARRIVALS:
            del self._arrivals_s[next(iter(self._arrivals_s))]

    def _picture(self, raw: Any, arrived_s: float) -> Picture:
        if not self._has_shown:
            self._decoding = self._decoding.verified(self._stream.codec_context, raw)
        self._is_damaged |= self._has_shown and raw.is_corrupt
        self._has_shown = True
        # Where pictures are sent out of order, one leaves the decoder later than it came.
        captured_s = self._arrivals_s.pop(raw.pts, arrived_s)
        has_time = raw.pts is not None and not self._is_timeless
        pts_s = float(raw.pts * raw.time_base) if has_time else None
        keep = partial(self._keep, raw) if self._decoding.is_kept else None
        return Picture(captured_s, pts_s, (raw.width, raw.height), partial(self._draw, raw), keep)

    def _draw(self, raw: Any) -> Image:
        converted = self._reformatter.reformat(
            raw, format="rgb24", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        return np.asarray(converted.to_ndarray(), np.uint8)


def _connect(asked: Input, timeout_s: float) -> tuple[Any, Decoding]:
    try:
        return open_container(
            asked.url,
            asked.decoder,
            format=asked.format,
            options=dict(asked.options),
            timeout=(timeout_s, STALL_S),
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _lost(asked, error, timeout_s) from error


def _video_stream(container: Any, asked: Input) -> Any:
    stream = next(iter(container.streams.video), None)
    if stream is None:
        container.close()
        raise SourceError(f"{asked.name} sends no video.", asked.remedy)
    if stream.codec_context is None:
        container.close()
        raise SourceError(
            f"{asked.name} sends video in a format unknown here.", "Have it sent as H.264."
        )
    return stream


def _lost(asked: Input, error: Exception, timeout_s: float = STALL_S) -> SourceError:
    """The error in words; FFmpeg's own are for programmers, and may hold the password."""
    for kind, what, remedy in _REASONS:
        if isinstance(error, kind):
            filled = what.format(name=asked.name, seconds=f"{timeout_s:g}")
            return SourceError(filled, remedy or asked.remedy)
    if getattr(error, "errno", None) in (errno.EBUSY, errno.EADDRINUSE):
        return SourceError(f"{asked.name} is in use already.", "Close what uses it first.")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return SourceError(f"{asked.name} cannot be read ({reason}).", asked.remedy)


_REASONS: tuple[tuple[type[Exception], str, str], ...] = (
    (av.error.ExitError, "{name} sends no video for {seconds} s.", ""),
    (
        ConnectionRefusedError,
        "{name} refuses the connection.",
        "Check that the sender is running, and the port.",
    ),
    (
        av.error.ProtocolNotFoundError,
        "{name} needs a protocol that this build of FFmpeg does not have.",
        "Have it relayed as MPEG-TS over UDP.",
    ),
    (
        av.error.HTTPUnauthorizedError,
        "{name} asks for a name and a password.",
        "Write the address as SCHEME://NAME:PASSWORD@HOST/PATH.",
    ),
    (av.error.HTTPForbiddenError, "{name} may not be watched from here.", ""),
    (av.error.HTTPNotFoundError, "{name} is not there: the server knows no such path.", ""),
    (av.error.HTTPClientError, "The server of {name} refuses to send it.", ""),
    (av.error.HTTPServerError, "The server of {name} answers with an error.", ""),
    (av.error.InvalidDataError, "{name} sends nothing that is known as video.", ""),
    (FileNotFoundError, "There is no {name}.", ""),
    (PermissionError, "{name} may not be opened by this user.", ""),
)
