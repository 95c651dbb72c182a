"""A simulated procedure: a file, stills or the pattern, paced like a camera and without end.

`live:exam.mp4` behaves like a capture device on a desk: pictures come when they are due, whether
anybody takes them or not, and after the last one the first follows. For demonstrations, for
rehearsals and for tests of everything live.
"""

from __future__ import annotations

import threading

from engine.errors import SourceError
from engine.sources import AUTO, VideoSource, open_source
from engine.sources.address import kind_of
from engine.sources.live import Live, Picture
from engine.timing import Clock, SystemClock

_LATE_S = 0.25
"""Later than this, pictures are due from now on instead of in a sprint."""


class PacedFeed:
    """Plays a source by its time stamps, again and again, and closes it in the end."""

    def __init__(self, source: VideoSource, clock: Clock | None = None) -> None:
        self._source = source
        self._clock: Clock = clock or SystemClock()
        self._never = threading.Event()
        self._start_s: float | None = None
        self._round_s = self._last_s = 0.0

    @property
    def decoder(self) -> str:
        """What decodes the source."""
        return self._source.info.decoder

    @property
    def frame_rate_hz(self) -> float | None:
        """Of the source."""
        return self._source.info.frame_rate_hz

    @property
    def note(self) -> str | None:
        """Of the source."""
        return self._source.note

    def read(self) -> Picture | None:
        """The next picture when it is due; None between two rounds."""
        frame = self._source.read()
        if frame is None:
            # The last picture lasts as long as any other.
            self._round_s = self._last_s + 1 / (self.frame_rate_hz or 25.0)
            self._source.seek(0.0)
            return None
        self._last_s = self._round_s + frame.pts_s
        now_s = self._clock.now_s()
        if self._start_s is None or now_s - self._start_s - self._last_s > _LATE_S:
            self._start_s = now_s - self._last_s
        self._clock.wait(self._never, self._start_s + self._last_s - now_s)
        height, width = frame.image.shape[:2]
        image, on_card = frame.image, frame.on_card
        size = (width, height)
        return Picture(self._clock.now_s(), self._last_s, size, lambda: image, lambda _: on_card)

    def close(self) -> None:
        """Close the source."""
        self._source.close()


def open_simulated(spec: str, decoder: str = AUTO) -> Live:
    """Open `live:SOURCE`.

    Raises:
        SourceError: SOURCE cannot be used, or is live already.
    """
    inner = spec.partition(":")[2]
    if kind_of(inner) not in (None, "pattern"):
        raise SourceError(f"{inner} is live already.", "Open it without live: before it.")
    source = open_source(inner, decoder=decoder)
    sources = [source]

    def connect(_timeout_s: float) -> PacedFeed:
        """The source that was just opened; a later connection opens it again."""
        return PacedFeed(sources.pop() if sources else open_source(inner, decoder=decoder))

    return Live(f"{source.info.name}, as if live", connect)
