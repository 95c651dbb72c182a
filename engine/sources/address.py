"""Addresses of sources: which kind an address names, and how to show it.

| address                               | kind        | is                                      |
|---------------------------------------|-------------|-----------------------------------------|
| `exam.mp4`                            | `file`      | a video                                 |
| `frames/`, `'frames/*.png'`, `one.png` | `stills`    | pictures in natural order               |
| `pattern:1280x720@50,frames=500`      | `pattern`   | a moving picture with a code            |
| `live:SOURCE`                         | `simulated` | one of the above, paced like a camera   |
| `device:NAME?size=1920x1080&rate=60`  | `device`    | a capture device; `&format=mjpeg`       |
| `rtsp://HOST/PATH`, `rtsps://`        | `stream`    | RTSP over TCP                           |
| `rtsp+udp://HOST/PATH`                | `stream`    | RTSP over UDP                           |
| `udp://:PORT`, `udp://@GROUP:PORT`    | `stream`    | MPEG-TS that is sent here               |
| `tcp://HOST:PORT`, `srt://HOST:PORT`  | `stream`    | MPEG-TS to be fetched                   |
| `http://HOST/PATH`, `https://`        | `stream`    | MJPEG, MPEG-TS                          |
| `session.sdp`                         | `stream`    | RTP as that file describes it           |
| `screen:0,0,1280x720?rate=25`         | `screen`    | a part of the screen                    |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from engine.errors import SourceError

KINDS: dict[str, str] = {
    "pattern": "pattern",
    "live": "simulated",
    "device": "device",
    "screen": "screen",
    "rtsp": "stream",
    "rtsps": "stream",
    "rtsp+udp": "stream",
    "udp": "stream",
    "tcp": "stream",
    "srt": "stream",
    "http": "stream",
    "https": "stream",
}
"""Scheme → kind of source. An address without one of these is a path."""

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+):(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """`SCHEME:PLACE?NAME=VALUE&...`, as devices and screens have it."""

    place: str
    wishes: dict[str, str]

    @classmethod
    def parse(cls, text: str, allowed: frozenset[str]) -> LocalAddress:
        """Take `text` apart.

        Raises:
            SourceError: a wish is not one of `allowed`, or has no value.
        """
        place, _, query = text.partition(":")[2].partition("?")
        try:
            wishes = dict(parse_qsl(query, strict_parsing=True)) if query else {}
        except ValueError:
            raise SourceError(
                f"The end of {text!r} cannot be read.", "Write it as ?size=1920x1080&rate=60."
            ) from None
        if unknown := sorted(set(wishes) - allowed):
            raise SourceError(
                f"{text!r} asks for {', '.join(unknown)}, which does not exist here.",
                f"It may end in {', '.join(sorted(allowed))}.",
            )
        return cls(place, wishes)


def scheme_of(spec: str) -> str | None:
    """The scheme of an address in small letters, None for a path.

    Raises:
        SourceError: it looks like an address and is of no known kind.
    """
    match = _SCHEME.fullmatch(spec)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    if scheme in KINDS:
        return scheme
    if match["rest"].startswith("//"):
        raise SourceError(
            f"{public_name(spec)} is an address of an unknown kind.",
            f"Known are {', '.join(KINDS)}.",
        )
    return None


def kind_of(spec: str) -> str | None:
    """The kind of source that an address names, None for a path of a file or folder."""
    scheme = scheme_of(spec)
    if scheme is not None:
        return KINDS[scheme]
    return "stream" if spec.lower().endswith(".sdp") else None


def public_name(spec: str) -> str:
    """The address as it may be shown and kept: without user, password and query."""
    if "://" not in spec:
        return spec
    try:
        parts = urlsplit(spec)
    except ValueError:
        return spec.partition("://")[0] + "://..."
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
