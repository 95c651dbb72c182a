"""One time for a picture in all files of a recording, and pictures brought together with folds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from engine.types import Analysis, Frame


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame with its place in the recording."""

    number: int
    pts_s: float
    """In the recording, whole milliseconds."""
    frame: Frame


@dataclass(frozen=True, slots=True)
class Found:
    """The analysis of a picture."""

    number: int
    analysis: Analysis


Pair = tuple[Picture, Analysis | None]


class Timeline:
    """From the times of a source to those of its recording: from 0 on, and on through jumps."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._epoch: int | None = None
        self._zero_s: float | None = None
        self._last_s = -interval_s
        """Of the last picture, in the recording."""

    def begin(self, pts_s: float) -> None:
        """Let `pts_s` of the source be 0, unless something else is already."""
        if self._zero_s is None:
            self._zero_s = pts_s

    def at(self, epoch: int, pts_s: float) -> float | None:
        """The time of a picture in the recording; None for what came before its beginning."""
        self.begin(pts_s)
        if self._zero_s is None:
            return None
        if self._epoch is not None and epoch != self._epoch:
            self._zero_s = pts_s - (self._last_s + self._interval_s)
        self._epoch = epoch
        here_s = round(pts_s - self._zero_s, 3)
        if here_s < 0 or here_s <= self._last_s:
            return None
        self._last_s = here_s
        return here_s


class Pairs:
    """Brings pictures and what was found in them together, in order; at most `most` wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: deque[Picture] = deque()

    def add(self, item: Picture | Found) -> Iterator[Pair]:
        """What is complete by now; None where a picture was not analysed, or not in time."""
        if isinstance(item, Picture):
            self._waiting.append(item)
            if len(self._waiting) > self._most:
                yield self._waiting.popleft(), None
            return
        while self._waiting and self._waiting[0].number <= item.number:
            picture = self._waiting.popleft()
            yield picture, item.analysis if picture.number == item.number else None

    def rest(self) -> Iterator[Pair]:
        """What is still waiting."""
        while self._waiting:
            yield self._waiting.popleft(), None
