"""The first so many seconds of a source, as a source that ends: what makes live input a recording.

Of a live source every frame is waited for; those that come while nobody reads are replaced by
newer ones, as always. It ends early, with a note, where the signal stays away or the picture
changes its size, because a recording has one size.
"""

from __future__ import annotations

from engine.errors import SourceError
from engine.sources import SourceInfo, VideoSource, signal_of
from engine.timing import Clock, SystemClock
from engine.types import Frame

PATIENCE_S = 5.0
"""Without a signal for this long, a recording ends."""


class Excerpt:
    """`source` from where it stands, for `longest_s` seconds of its own time.

    Raises:
        SourceError: `longest_s` is not above 0.
    """

    def __init__(self, source: VideoSource, longest_s: float, clock: Clock | None = None) -> None:
        if not longest_s > 0:
            raise SourceError(f"{longest_s} s is no length.", "Name seconds above 0.")
        self._source = source
        self._longest_s = longest_s
        self._clock: Clock = clock or SystemClock()
        self._start_s: float | None = None
        self._size: tuple[int, ...] | None = None
        self._has_ended = False
        self._why_early: str | None = None

    @property
    def info(self) -> SourceInfo:
        """Of the source."""
        return self._source.info

    @property
    def note(self) -> str | None:
        """Of the source, and why it ended early."""
        return " ".join(filter(None, (self._source.note, self._why_early))) or None

    def read(self) -> Frame | None:
        """The next frame; None once the time is over or the source has ended."""
        frame = None if self._has_ended else self._next()
        if frame is None:
            self._has_ended = True
            return None
        self._start_s = frame.pts_s if self._start_s is None else self._start_s
        self._size = self._size or frame.image.shape
        if frame.image.shape != self._size:
            self._why_early = "The picture changed its size; the recording ends before that."
        elif frame.pts_s - self._start_s < self._longest_s:
            return frame
        self._has_ended = True
        return None

    def seek(self, pts_s: float) -> None:
        """Start anew from there."""
        self._source.seek(pts_s)
        self._start_s, self._has_ended = None, False

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _next(self) -> Frame | None:
        frame = self._source.read()
        if frame is not None or not self._source.info.is_live:
            return frame
        since_s = self._clock.now_s()
        while self._clock.now_s() - since_s < PATIENCE_S:
            frame = self._source.read()
            if frame is not None:
                return frame
        signal = signal_of(self._source)
        why = signal.problem if signal is not None else None
        self._why_early = why or f"{self._source.info.name} sent no more pictures."
        return None
