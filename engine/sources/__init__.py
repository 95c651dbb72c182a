"""Where frames come from. One protocol, one dict of kinds, one function that opens.

`address` tells how each kind is named. A file, stills and the pattern are read at any pace and can
seek. The other kinds are live: they set the pace, keep only their newest picture, and come back by
themselves after a loss of signal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from engine.errors import SourceError, SourceNotFoundError
from engine.sources.address import kind_of
from engine.types import Frame, SignalState

SOURCES: dict[str, str] = {
    "file": "engine.sources.file:VideoFile",
    "stills": "engine.sources.stills:Stills",
    "pattern": "engine.sources.pattern:Pattern",
    "simulated": "engine.sources.simulated:open_simulated",
    "stream": "engine.sources.stream:open_stream",
    "device": "engine.sources.device:open_device",
    "screen": "engine.sources.screen:open_screen",
}
"""Kind → "module:attribute", imported when opened; the attribute is called with the spec."""

AUTO = "auto"
"""Let Haustra choose what decodes: hardware where some works, else software."""

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2"}
)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known about a source once it is open."""

    name: str
    """Short, for titles: a file or folder name."""
    width: int
    """Of every frame, pixels, after rotation."""
    height: int
    duration_s: float | None
    """None: unknown or endless."""
    frame_rate_hz: float | None
    """Average; None where the source does not say."""
    frame_count: int | None
    """As the source states it; decoding may give fewer."""
    is_live: bool
    """The source sets the pace itself and cannot seek; it is a `LiveSource`."""
    decoder: str
    """What really decodes, for people: "h264 (software, 1 thread)"."""
    time_base: Fraction
    """Every `pts_s` is a whole number of these, in seconds."""
    start_pts: int = 0
    """Time stamp of the first frame in the source itself, in `time_base`."""


class VideoSource(Protocol):
    """Frames, one after another. One thread at a time uses a source."""

    @property
    def info(self) -> SourceInfo:
        """What is known about this source."""
        ...

    @property
    def note(self) -> str | None:
        """What the user should know about what was read so far (damage, skipped pictures)."""
        ...

    def read(self) -> Frame | None:
        """The next frame in presentation order, None at the end. Raises SourceError.

        A live source has no end: it gives its newest frame once, and None where no new one came
        within a tenth of a second.
        """
        ...

    def seek(self, pts_s: float) -> None:
        """Make the next `read` return the frame shown at `pts_s`: the last one not after it.

        Before the start means the first frame, behind the end the last one. Raises SourceError.
        A live source has only now: this does nothing.
        """
        ...

    def close(self) -> None:
        """Let go of files. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Packet:
    """One compressed picture as a source delivered it."""

    data: Any
    """PyAV's packet, already decoded: nobody but the listener uses it any more."""
    stream: Any
    """PyAV's stream it belongs to; another one after a source was opened again."""
    pts_s: float
    """When it is shown, on the scale of `Frame.pts_s`."""


@runtime_checkable
class PacketSource(Protocol):
    """A source whose compressed pictures can be kept as they are."""

    @property
    def offers_packets(self) -> bool:
        """Whether they can, now: not where the sender compresses nothing or tells no times."""
        ...

    def tap(self, listener: Callable[[Packet], None] | None) -> None:
        """Hand every packet that is read from now on to `listener`, in the reading thread.

        None ends that. The listener must not wait.
        """
        ...


class LiveSource(VideoSource, Protocol):
    """Frames as they happen; `info.is_live` is True."""

    @property
    def signal(self) -> SignalState:
        """Whether pictures arrive. Any thread may ask; never waits."""
        ...


def signal_of(source: VideoSource) -> SignalState | None:
    """The signal of a live source, None for any other."""
    return cast(LiveSource, source).signal if source.info.is_live else None


def open_source(
    spec: str | Path, *, frame_rate_hz: float | None = None, decoder: str = AUTO
) -> VideoSource:
    """Open whatever `spec` names. A network or a device is touched only where it is named.

    Args:
        spec: see `engine.sources.address`.
        frame_rate_hz: pace of a sequence of stills; other sources know their own.
        decoder: `AUTO`, "off" (software) or a kind of hardware, see `engine.sources.decoders`.

    Raises:
        SourceNotFoundError: there is no such file or folder.
        SourceError: it is there and cannot be used; says why and what to do.
    """
    text = str(spec)
    if not text.strip():
        raise SourceError("No source was named.", "Give a video file or a folder of pictures.")
    kind = kind_of(text)
    if kind in ("stream", "simulated"):
        return _open(kind, text, decoder)
    if kind is not None:
        return _open(kind, text)
    path = Path(text).expanduser()
    if _is_stills(path):
        if frame_rate_hz is not None:
            return _open("stills", path, frame_rate_hz)
        return _open("stills", path)
    if not path.exists():
        raise SourceNotFoundError(
            f"There is no file or folder {path}.", "Check the spelling, or open it by dialog."
        )
    return _open("file", path, decoder)


def _is_stills(path: Path) -> bool:
    if path.exists():
        return path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES
    return any(character in path.name for character in "*?[")


def _open(kind: str, *arguments: object) -> VideoSource:
    module, _, attribute = SOURCES[kind].partition(":")
    return cast(VideoSource, getattr(import_module(module), attribute)(*arguments))
