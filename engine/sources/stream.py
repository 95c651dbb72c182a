"""Streams from a network, opened only where the user named one.

How each kind is opened, and why (times in microseconds, sizes in bytes, FFmpeg's words):

| option                      | for         | why                                                  |
|-----------------------------|-------------|------------------------------------------------------|
| probesize, analyzeduration  | all         | 64 KiB, 0.2 s: size and rate are taken from the      |
|                             |             | pictures themselves, so there is little to analyse   |
| rtsp_transport tcp          | rtsp        | no lost packets; hospital networks often block UDP   |
| reorder_queue_size 0        | rtsp, sdp   | waiting for packets out of order costs more than a   |
|                             |             | damaged picture; networks in one house keep order    |
| max_delay 100 ms            | rtsp+udp    | the longest wait for a missing packet                |
| buffer_size 4 MiB           | udp, rtp    | a key frame of 1080p arrives in one burst            |
| overrun_nonfatal 1          | udp         | a moment's hanging costs pictures, not the stream    |
| tcp_nodelay 1               | tcp         | answers leave at once                                |
| latency 60 ms               | srt         | half its default; enough for 20 ms of round trip     |
| protocol_whitelist          | all         | a stream cannot make us open files or other          |
|                             |             | protocols                                            |
| format_whitelist            | http        | pictures and transport streams; no playlists         |

`fflags nobuffer` is left out: it throws away what was read to recognise the stream, and with it the
first key frame. Decoding that shows a picture up to a group of pictures earlier and costs no delay:
the newest picture wins. Decoders hand pictures out without delay
(`decoders.choose_threads`). How long opening and silence may last is not FFmpeg's business:
`engine.sources.feed` interrupts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import AUTO
from engine.sources.address import public_name, scheme_of
from engine.sources.feed import AvFeed, Input
from engine.sources.live import Live

_FAST = {"probesize": "65536", "analyzeduration": "200000"}
_RTSP = {"reorder_queue_size": "0", "max_delay": "100000"}
_UDP = {"buffer_size": "4194304", "overrun_nonfatal": "1"}


@dataclass(frozen=True, slots=True)
class Transport:
    """How one scheme is opened."""

    protocols: str
    format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    remedy: str = "Check the address, and that the sender is running."


TRANSPORTS: dict[str, Transport] = {
    "rtsp": Transport("rtsp,rtp,tcp", options=_RTSP | {"rtsp_transport": "tcp"}),
    "rtsps": Transport("rtsps,rtp,tcp,tls", options=_RTSP | {"rtsp_transport": "tcp"}),
    "rtsp+udp": Transport(
        "rtsp,rtp,udp,tcp",
        options=_RTSP | {"rtsp_transport": "udp", "buffer_size": "4194304"},
        remedy="Check the address; rtsp:// without +udp passes more networks.",
    ),
    "udp": Transport(
        "udp",
        "mpegts",
        _UDP,
        "Check that MPEG-TS is sent to this machine and port, and the firewall.",
    ),
    "tcp": Transport("tcp", "mpegts", {"tcp_nodelay": "1"}),
    "srt": Transport("srt,udp", "mpegts", {"latency": "60000"}),
    "http": Transport("http,tcp", options={"format_whitelist": "mpjpeg,mjpeg,mpegts"}),
    "https": Transport("https,http,tls,tcp", options={"format_whitelist": "mpjpeg,mjpeg,mpegts"}),
    "sdp": Transport(
        "file,udp,rtp",
        "sdp",
        {"reorder_queue_size": "0", "buffer_size": "4194304"},
        "Check that RTP is sent to the port in that file, and the firewall.",
    ),
}
"""Scheme → how it is opened; `sdp` stands for a file that describes RTP."""


def open_stream(spec: str, decoder: str = AUTO) -> Live:
    """Open a stream by its address (see `engine.sources.address`).

    Raises:
        SourceError: the address is malformed, nothing answers, or what comes is no video.
    """
    asked = stream_input(spec, decoder)
    return Live(asked.name, partial(AvFeed, asked))


def stream_input(spec: str, decoder: str = AUTO) -> Input:
    """What FFmpeg is to open for `spec`.

    Raises:
        SourceError: the address is malformed.
        SourceNotFoundError: there is no such SDP file.
    """
    scheme = scheme_of(spec) or "sdp"
    transport = TRANSPORTS[scheme]
    options = _FAST | dict(transport.options) | {"protocol_whitelist": transport.protocols}
    if scheme == "sdp":
        path = Path(spec).expanduser()
        if not path.is_file():
            raise SourceNotFoundError(f"There is no file {path}.", "Check the spelling.")
        name, url = path.name, str(path)
    else:
        place = spec.partition(":")[2]
        if not place.startswith("//") or not place.strip("/"):
            raise SourceError(
                f"{public_name(spec)} is no complete address.", f"Write {scheme}://HOST:PORT/PATH."
            )
        name, url = public_name(spec), f"{scheme.removesuffix('+udp')}:{place}"
    return Input(name, url, transport.format, options, decoder, transport.remedy)
