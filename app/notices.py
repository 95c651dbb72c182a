"""What the window tells its user: what happened and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.errors import HaustraError

NOT_FOR_DIAGNOSIS = "Research and training. Not for diagnosis."


class NoticeKind(StrEnum):
    """How grave a notice is."""

    NOTE = "note"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell."""

    what: str
    """One sentence: what happened, or what to know."""
    remedy: str = ""
    """One sentence: what the user can do."""
    kind: NoticeKind = NoticeKind.WARNING

    @classmethod
    def of(cls, error: HaustraError, kind: NoticeKind = NoticeKind.WARNING) -> Notice:
        """The notice of an error that was raised on purpose."""
        return cls(error.what, error.remedy, kind)


FIRST_START = Notice(
    NOT_FOR_DIAGNOSIS,
    "Space plays and pauses, O shows and hides the folds, F1 lists every key. Esc closes this.",
    NoticeKind.NOTE,
)
SELF_TEST_RUNS = Notice(
    "A numbered video is being written, then played for ten seconds.",
    "What plays now comes back afterwards.",
    NoticeKind.NOTE,
)
