"""What to record, and how a recording is getting on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import RecordingError
from engine.overlay import DEFAULT_STYLE, OverlayStyle
from engine.recording.tape import TAPE_SUFFIXES


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """Which files to write. The table's name is that of the first video, ending in `.jsonl`.

    Raises:
        RecordingError: nothing is named, a name will not do or is taken, or two are the same.
    """

    raw: Path | None = None
    """Pictures as they came."""
    overlay: Path | None = None
    """Pictures with their folds painted in."""
    is_copied: bool = True
    """Keep compressed pictures as they are where the source hands them out."""
    style: OverlayStyle = DEFAULT_STYLE
    header: Mapping[str, Any] = field(default_factory=dict)
    """Further entries of the table's first line; must be JSON."""

    def __post_init__(self) -> None:
        if not self.videos:
            raise RecordingError("No file to record to was named.", "Name one that ends in .mkv.")
        if len({video.resolve() for video in self.videos}) < len(self.videos):
            raise RecordingError("Both videos have the same name.", "Name two files.")
        for video in self.videos:
            if video.suffix.lower() not in TAPE_SUFFIXES:
                raise RecordingError(
                    f"{video.name} is not a name for a recording.",
                    f"Let it end in {' or '.join(TAPE_SUFFIXES)}.",
                )
        for path in (*self.videos, self.table):
            if not path.parent.is_dir():
                raise RecordingError(f"There is no folder {path.parent}.", "Create it first.")
            if path.exists():
                raise RecordingError(
                    f"{path} exists already.",
                    "Name another file; recordings are never overwritten.",
                )

    @property
    def videos(self) -> tuple[Path, ...]:
        """Those that are wanted."""
        return tuple(path for path in (self.raw, self.overlay) if path is not None)

    @property
    def table(self) -> Path:
        """The analysis beside the videos."""
        return self.videos[0].with_suffix(".jsonl")


@dataclass(frozen=True, slots=True)
class RecordingStatus:
    """A snapshot of a recording."""

    elapsed_s: float = 0.0
    """Of video, from the first picture recorded."""
    pictures: int = 0
    """That came to be recorded."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """By file (`raw`, `overlay`, `table`): what came while its queue was full."""
    waiting: int = 0
    """In the fullest queue: how far the disk is behind."""
    free_bytes: int | None = None
    """Left on the disk; None where nobody can tell."""
    fault: str | None = None
    """Why it ended by itself, and what to do."""

    @property
    def lost(self) -> int:
        """Pictures missing in at least one file."""
        return max(self.dropped.values(), default=0)
