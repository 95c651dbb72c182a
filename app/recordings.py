"""The recording of what plays: begun and ended by the user, ended by itself when the disk is full.

Ending waits for the disk, so it happens on a thread of its own.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.notices import Notice, NoticeKind
from app.opening import Opened
from app.provenance import provenance
from engine.errors import RecordingError
from engine.recording import Recording, RecordingPlan, RecordingStatus

_LOOK_S = 0.25
"""How often the disk is looked at."""


@dataclass(frozen=True, slots=True)
class RecordingChoice:
    """What the user wants recorded, and where."""

    folder: Path
    raw: bool = True
    """The pictures as they came."""
    overlay: bool = False
    """The pictures with their folds."""


class Recordings:
    """At most one recording at a time. For one thread."""

    def __init__(self) -> None:
        self._opened: Opened | None = None
        self._recording: Recording | None = None
        self._status: RecordingStatus | None = None
        self._looked_s = 0.0
        self._endings: list[threading.Thread] = []

    @property
    def status(self) -> RecordingStatus | None:
        """How the recording was getting on a moment ago; None where there is none."""
        return self._status

    def start(self, opened: Opened, choice: RecordingChoice) -> None:
        """Record what plays into new files, named by the time of day.

        Raises:
            RecordingError: they cannot be created.
        """
        self.stop()
        try:
            choice.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordingError(
                f"{choice.folder} cannot be created: {error.strerror}.", "Choose another folder."
            ) from error
        stem = _free_stem(choice.folder, datetime.now())
        analyser = opened.analyser
        plan = RecordingPlan(
            choice.folder / f"{stem}.mkv" if choice.raw or not choice.overlay else None,
            choice.folder / f"{stem}-folds.mkv" if choice.overlay else None,
            # A file that plays may be sought in; its packets would then not follow each other.
            is_copied=opened.info.is_live,
            header=provenance(opened.info, analyser),
        )
        self._recording, self._opened = Recording(plan, opened.source), opened
        opened.pipeline.record(self._recording)
        self._looked_s = time.monotonic()
        self._status = self._recording.status()

    def stop(self) -> Notice | None:
        """Complete the files in the background; a notice that says where they are."""
        recording, opened = self._recording, self._opened
        self._recording = self._opened = self._status = None
        if recording is None or opened is None:
            return None
        opened.pipeline.record(None)
        ending = threading.Thread(target=recording.stop, name="end recording", daemon=True)
        ending.start()
        self._endings = [*(each for each in self._endings if each.is_alive()), ending]
        status = recording.status()
        lost = f" {status.lost} pictures were lost: the disk was too slow." if status.lost else ""
        names = ", ".join(path.name for path in recording.plan.videos)
        return Notice(
            f"Recorded {status.elapsed_s:.0f} s.{lost}",
            f"{names} in {recording.plan.table.parent}",
            NoticeKind.WARNING if status.lost else NoticeKind.NOTE,
        )

    def look(self, playing: Opened | None) -> Notice | None:
        """Look at the recording now and then; a notice where it came to an end by itself."""
        recording = self._recording
        if recording is None:
            return None
        if playing is not self._opened:
            return self.stop()
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return None
        self._looked_s = now_s
        self._status = recording.status()
        if self._status.fault is None:
            return None
        fault = Notice(self._status.fault, kind=NoticeKind.FAULT)
        self.stop()
        return fault

    def close(self, timeout_s: float) -> bool:
        """Stop, and wait for the files; False where the disk does not take them in time."""
        self.stop()
        deadline_s = time.monotonic() + timeout_s
        for ending in self._endings:
            ending.join(max(0.0, deadline_s - time.monotonic()))
        return not any(ending.is_alive() for ending in self._endings)


def _free_stem(folder: Path, now: datetime) -> str:
    """A name that says when, without those of patients or sources."""
    stem = first = now.strftime("haustra-%Y%m%d-%H%M%S")
    number = 2
    while any(folder.glob(f"{stem}*")):
        stem, number = f"{first}-{number}", number + 1
    return stem
