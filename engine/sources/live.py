"""What all live sources share: a thread that listens, one slot, newest wins, and a way back.

```
 feed.read() → decoded picture → Latest ─▶ read(): to RGB, one Frame
      │ ends, stalls, fails                     (pictures nobody took are never converted)
      ▼
 lost ─ wait 0.1 … 0.5 s ─▶ open another feed ─▶ ...
```
A `Feed` is one connection. `Live` opens another one whenever it ends, so that pictures return by
themselves. The signal is judged whenever somebody asks, from the age of the newest picture: no
thread has to wake up for a loss to be seen, however deep the reader hangs in a driver or network.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

from engine.card import CardPicture
from engine.errors import SourceError
from engine.mailbox import Latest
from engine.sources import Packet, SourceInfo
from engine.timing import Clock, SystemClock
from engine.types import Frame, Image, SignalState, read_only

_log = logging.getLogger(__name__)

TIME_BASE = Fraction(1, 90_000)
FIRST_PICTURE_S = 10.0
"""A stream that shows nothing for this long after opening is given up."""
OPEN_S = 4.0
"""Each half of the first opening (connecting, recognising) may take this long."""
_REOPEN_S = 1.0
"""A later one, unless the first took longer: after a host that does not answer, try anew soon."""
_RETRY_S = (0.1, 0.2, 0.4, 0.5)
"""Waits between attempts. With `_REOPEN_S` the longest blind time is 1.5 s: back within 2 s."""
_LOST_S = 0.2
_SLOW_HZ = 25.0
_ASSUMED_HZ = 25.0
_TAKE_S = 0.1
_JOIN_S = 0.5
_DRIFT_S = 0.5


@dataclass(frozen=True, slots=True)
class Picture:
    """One decoded picture, not yet converted: it may be replaced before anybody wants it."""

    captured_s: float
    """Monotonic clock when its data arrived."""
    pts_s: float | None
    """Time stamp of the sender, from an unknown start."""
    size: tuple[int, int]
    """Width, height, pixels."""
    draw: Callable[[], Image]
    """(H, W, 3) RGB. Called by one thread at a time."""
    keep: Callable[[Image], CardPicture | None] | None = None
    """The same in the card's memory, given what `draw` gave; None: it is not there."""


class Feed(Protocol):
    """One connection to a camera, used by one thread."""

    @property
    def decoder(self) -> str:
        """What really decodes, for people; known after the first picture."""
        ...

    @property
    def frame_rate_hz(self) -> float | None:
        """As the sender states it."""
        ...

    @property
    def note(self) -> str | None:
        """What the user should know: damage, a decoder that was not to be had."""
        ...

    def read(self) -> Picture | None:
        """Wait for data; None where it made no picture yet. Raises SourceError at the end."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@runtime_checkable
class PacketFeed(Protocol):
    """A feed whose compressed pictures can be kept as they are."""

    @property
    def offers_packets(self) -> bool:
        """Whether they can."""
        ...

    def tap(self, listener: Callable[[Any, Any], None] | None) -> None:
        """Hand every packet and its stream to `listener`; None ends that."""
        ...


OpenFeed = Callable[[float], Feed]
"""Connect within so many seconds. Raises SourceError."""


class Timeline:
    """Time stamps of one stream without end: from 0, rising, near the clock, whatever comes."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._offset_s = 0.0
        self._last = -1

    def stamp(self, pts_s: float | None, captured_s: float) -> float:
        """Seconds from the first picture, a whole number of `TIME_BASE`.

        The sender's own intervals are kept. Where its time is missing, runs backwards or leaves
        the clock by more than half a second, the moment of arrival counts.
        """
        if self._start_s is None:
            self._start_s = captured_s
            self._offset_s = -(pts_s or 0.0)
        elapsed_s = captured_s - self._start_s
        wanted_s = elapsed_s if pts_s is None else pts_s + self._offset_s
        ticks = round(wanted_s / TIME_BASE)
        if ticks <= self._last or abs(wanted_s - elapsed_s) > _DRIFT_S:
            ticks = max(round(elapsed_s / TIME_BASE), self._last + 1)
            if pts_s is not None:
                self._offset_s = float(ticks * TIME_BASE) - pts_s
        self._last = ticks
        return float(ticks * TIME_BASE)

    def place(self, pts_s: float) -> float | None:
        """Where a sender's time lies by now; None before the first picture."""
        return None if self._start_s is None else pts_s + self._offset_s


@dataclass(frozen=True, slots=True)
class _Arrived:
    """What the slot holds."""

    picture: Picture
    number: int
    pts_s: float
    info: SourceInfo
    breaks: int


class Live:
    """A live source of `name`, over as many feeds as it takes.

    Raises:
        SourceError: the first feed cannot be opened or gives no picture.
    """

    def __init__(self, name: str, open_feed: OpenFeed, clock: Clock | None = None) -> None:
        self._name = name
        self._open_feed = open_feed
        self._clock: Clock = clock or SystemClock()
        self._told = threading.Event()
        self._begun = threading.Event()
        self._slot: Latest[_Arrived] = Latest()
        self._timeline = Timeline()
        self._number = 0
        self._lock = threading.Lock()
        self._newest: _Arrived | None = None
        self._intervals_s: deque[float] = deque(maxlen=31)
        self._problem: SourceError | None = None
        self._notes: dict[str, None] = {}
        self._feed: Feed | None = None
        self._listener: Callable[[Packet], None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"live {name}", daemon=True)
        self._thread.start()
        self._read = self._await_first()

    @property
    def info(self) -> SourceInfo:
        """Of the frame read last; another object after the picture size changed."""
        return self._read.info

    @property
    def note(self) -> str | None:
        """Damage met, changes of the picture, a decoder that was not to be had."""
        with self._lock:
            return " ".join(self._notes) or None

    @property
    def signal(self) -> SignalState:
        """Whether pictures arrive."""
        now_s = self._clock.now_s()
        with self._lock:
            newest, problem = self._newest, self._problem
            patience_s = _patience_s(self._interval_s())
        is_fresh = newest is not None and now_s - newest.picture.captured_s <= patience_s
        is_present = is_fresh and problem is None and not self._told.is_set()
        why = None if is_present or problem is None else str(problem)
        return SignalState(is_present, self._read.breaks, self._slot.replaced, why, patience_s)

    def read(self) -> Frame | None:
        """The newest picture if it was not read yet, None where none comes within 0.1 s."""
        arrived = self._slot.take(_TAKE_S)
        if arrived is None:
            return None
        image = arrived.picture.draw()
        keep, captured_s = arrived.picture.keep, arrived.picture.captured_s
        on_card = None if keep is None else keep(image)
        self._read = arrived
        return Frame(arrived.number, arrived.pts_s, captured_s, read_only(image), on_card)

    @property
    def offers_packets(self) -> bool:
        """What the feed of now says."""
        feed: object = self._feed
        return isinstance(feed, PacketFeed) and feed.offers_packets

    def tap(self, listener: Callable[[Packet], None] | None) -> None:
        """Hand every packet to `listener`, in the reader's thread; None ends that."""
        self._listener = listener

    def seek(self, pts_s: float) -> None:
        """A live source has only now."""

    def close(self) -> None:
        """Hang up. A reader that hangs is left behind; it ends when its system call does."""
        self._told.set()
        self._slot.close()
        self._thread.join(_JOIN_S)

    def _await_first(self) -> _Arrived:
        self._begun.wait(2 * OPEN_S + FIRST_PICTURE_S)
        if self._newest is None:
            self.close()
            raise self._problem or SourceError(
                f"{self._name} shows no picture.", "Check that the sender is running."
            )
        return self._newest

    # The reader's thread

    def _run(self) -> None:
        attempt, patience_s = 0, OPEN_S
        while not self._told.is_set():
            number, started_s = self._number, self._clock.now_s()
            try:
                with contextlib.closing(self._open_feed(patience_s)) as feed:
                    took_s = self._clock.now_s() - started_s
                    self._follow(feed)
            except SourceError as error:
                self._lose(error)
            except Exception as error:  # noqa: BLE001  (top of a thread)
                _log.error("reading %s failed", self._name, exc_info=error)
                self._lose(SourceError(f"Reading {self._name} failed: {error}."))
            if self._number == 0:
                self._begun.set()
                return
            if self._number > number:
                attempt, patience_s = 0, max(_REOPEN_S, 2 * took_s)
            self._clock.wait(self._told, _RETRY_S[min(attempt, len(_RETRY_S) - 1)])
            attempt += 1

    def _follow(self, feed: Feed) -> None:
        """Take pictures from one feed until it raises or this source is closed."""
        is_first = True
        opened_s = self._clock.now_s()
        self._feed = feed
        if isinstance(feed, PacketFeed):
            feed.tap(self._hand_on)
        while not self._told.is_set():
            picture = feed.read()
            if picture is not None:
                self._arrive(feed, picture, is_first=is_first)
                is_first = False
            elif is_first and self._clock.now_s() - opened_s > FIRST_PICTURE_S:
                raise SourceError(
                    f"What {self._name} sends makes no picture.",
                    "It may use a video format unknown here, or have no key frames.",
                )

    def _hand_on(self, data: Any, stream: Any) -> None:
        listener, pts_s = self._listener, self._timeline.place(float(data.pts * data.time_base))
        if listener is not None and pts_s is not None:
            listener(Packet(data, stream, pts_s))

    def _arrive(self, feed: Feed, picture: Picture, *, is_first: bool) -> None:
        before = self._newest
        info = self._describe(feed, picture) if is_first or before is None else before.info
        breaks = 0 if before is None else before.breaks
        with self._lock:
            if before is not None and picture.size != before.picture.size:
                info = self._describe(feed, picture)
                width, height = picture.size
                self._notes[f"The picture of {self._name} is now {width}x{height}."] = None
                breaks += not is_first
            breaks += is_first and before is not None
            if not is_first and before is not None:
                self._intervals_s.append(picture.captured_s - before.picture.captured_s)
            if feed.note:
                self._notes[feed.note] = None
            pts_s = self._timeline.stamp(picture.pts_s, picture.captured_s)
            self._newest = _Arrived(picture, self._number, pts_s, info, breaks)
            self._number += 1
            self._problem = None
        self._slot.put(self._newest)
        self._begun.set()

    def _describe(self, feed: Feed, picture: Picture) -> SourceInfo:
        width, height = picture.size
        return SourceInfo(
            name=self._name,
            width=width,
            height=height,
            duration_s=None,
            frame_rate_hz=feed.frame_rate_hz,
            frame_count=None,
            is_live=True,
            decoder=feed.decoder,
            time_base=TIME_BASE,
        )

    def _lose(self, error: SourceError) -> None:
        with self._lock:
            self._problem = error
        _log.info("no signal: %s", error)

    def _interval_s(self) -> float:
        """Between pictures: as measured, until then as stated."""
        if len(self._intervals_s) >= 5:
            return statistics.median(self._intervals_s)
        stated_hz = self._newest.info.frame_rate_hz if self._newest is not None else None
        return 1 / (stated_hz or _ASSUMED_HZ)


def _patience_s(interval_s: float) -> float:
    """The age of the newest picture at which the signal counts as lost."""
    is_slow = interval_s > 1.02 / _SLOW_HZ
    return _LOST_S + (2 * interval_s if is_slow else 0.0)
