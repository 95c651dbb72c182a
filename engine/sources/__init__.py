"""Where frames come from. One protocol, one dict of kinds, one function that opens.

| kind      | specification                                | gives                          |
|-----------|----------------------------------------------|--------------------------------|
| `file`    | path of a video                              | any video that PyAV opens      |
| `stills`  | folder, glob (`frames/*.png`) or one picture | pictures in natural order      |
| `pattern` | `pattern:1280x720@50,frames=500`             | a moving picture with a code   |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from engine.errors import SourceError, SourceNotFoundError
from engine.types import Frame

SOURCES: dict[str, str] = {
    "file": "engine.sources.file:VideoFile",
    "stills": "engine.sources.stills:Stills",
    "pattern": "engine.sources.pattern:Pattern",
}
"""Kind → "module:attribute", imported when opened; the attribute is called with the spec."""

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
    """The source sets the pace itself and cannot seek."""
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
        """The next frame in presentation order, None at the end. Raises SourceError."""
        ...

    def seek(self, pts_s: float) -> None:
        """Make the next `read` return the frame shown at `pts_s`: the last one not after it.

        Before the start means the first frame, behind the end the last one. Raises SourceError.
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

    def tap(self, listener: Callable[[Packet], None] | None) -> None:
        """Hand every packet that is read from now on to `listener`, in the reading thread.

        None ends that. The listener must not wait.
        """
        ...


def open_source(spec: str | Path, *, frame_rate_hz: float | None = None) -> VideoSource:
    """Open whatever `spec` names: a video, a folder or glob of pictures, or a pattern.

    Args:
        spec: see the table above.
        frame_rate_hz: pace of a sequence of stills; other sources know their own.

    Raises:
        SourceNotFoundError: there is no such file or folder.
        SourceError: it is there and cannot be used; says why and what to do.
    """
    text = str(spec)
    if text.startswith("pattern:"):
        return _open("pattern", text)
    if not text.strip():
        raise SourceError("No source was named.", "Give a video file or a folder of pictures.")
    path = Path(text).expanduser()
    if _is_stills(path):
        if frame_rate_hz is not None:
            return _open("stills", path, frame_rate_hz)
        return _open("stills", path)
    if not path.exists():
        raise SourceNotFoundError(
            f"There is no file or folder {path}.", "Check the spelling, or open it by dialog."
        )
    return _open("file", path)


def _is_stills(path: Path) -> bool:
    if path.exists():
        return path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES
    return any(character in path.name for character in "*?[")


def _open(kind: str, *arguments: object) -> VideoSource:
    module, _, attribute = SOURCES[kind].partition(":")
    return cast(VideoSource, getattr(import_module(module), attribute)(*arguments))
