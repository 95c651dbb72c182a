"""When the next frame is due, and where in the source it lies: play, pause, seek, step, speed.

The decode worker alone calls `next_move`; everything else may come from any thread. A wish sets
an event that ends the worker's waiting, so that a seek never waits for the frame before it.

A live source has only now: it sets the pace, keeps the moment of capture, and can be frozen, but
not sought in, stepped back or sped up. What comes after a break of it starts a new epoch.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from engine.sources import VideoSource, signal_of
from engine.timing import Clock
from engine.types import Frame

_IDLE_S = 0.5
_CATCH_UP_S = 0.25
"""Later than this, playing goes on from now instead of sprinting."""


class Pace(StrEnum):
    """How the decode worker spends time. To lose no frame, see `engine.offline`."""

    REAL_TIME = "real time"
    FLAT_OUT = "flat out"


@dataclass(frozen=True, slots=True)
class Move:
    """One frame to publish."""

    epoch: int
    frame: Frame
    decode_ms: float


class Playback:
    """The position in a source and the wishes about it."""

    def __init__(
        self, source: VideoSource, clock: Clock, pace: Pace, *, is_playing: bool = True
    ) -> None:
        self._source = source
        self._clock = clock
        self._is_live = source.info.is_live
        self._breaks = 0
        self._is_paced = pace is Pace.REAL_TIME and not self._is_live
        self._lock = threading.RLock()
        self._wish = threading.Event()
        self._is_playing = is_playing
        self._wants_first = True
        self._speed = 1.0
        self._epoch = 0
        self._seek_s: float | None = None
        self._steps = 0
        self._at_end = False
        self._pts_s = 0.0
        self._run: deque[float] = deque(maxlen=1024)
        self._anchor: tuple[float, float] | None = None
        self._ahead: Move | None = None

    @property
    def is_playing(self) -> bool:
        """Frames advance."""
        with self._lock:
            return self._is_playing

    @property
    def speed(self) -> float:
        """1.0 is real time."""
        with self._lock:
            return self._speed

    @property
    def epoch(self) -> int:
        """Counts seeks, and breaks of a live source."""
        with self._lock:
            return self._epoch

    @property
    def at_end(self) -> bool:
        """The last frame was given out and playing stopped there."""
        with self._lock:
            return self._at_end

    @property
    def position_s(self) -> float:
        """Of the newest frame, or of the one a seek is under way to."""
        with self._lock:
            return self._pts_s if self._seek_s is None else self._seek_s

    def play(self) -> None:
        """Go on; at the end, from the start."""
        with self._lock:
            if self._at_end:
                self.seek(0.0)
            self._is_playing = True
            self._anchor_here()
            self._wish.set()

    def pause(self) -> None:
        """Stay here."""
        with self._lock:
            self._is_playing = False
            self._wish.set()

    def seek(self, pts_s: float) -> None:
        """Go to the frame shown at `pts_s`; starts a new epoch."""
        if self._is_live:
            return
        with self._lock:
            self._epoch += 1
            self._seek_s = max(0.0, pts_s)
            self._steps = 0
            self._at_end = False
            self._wish.set()

    def step(self, count: int) -> None:
        """Pause, then go `count` frames on or back."""
        with self._lock:
            self._is_playing = False
            if self._is_live:
                count = max(0, count)
            self._steps += count
            if count < 0:
                self._epoch += 1
                self._at_end = False
            self._wish.set()

    def set_speed(self, speed: float) -> None:
        """1.0 is real time. Raises ValueError unless 0 < speed <= 64."""
        if not 0.0 < speed <= 64.0:
            raise ValueError(f"speed lies above 0 and up to 64, not {speed}")
        if self._is_live:
            return
        with self._lock:
            now_s = self._clock.now_s()
            since_s, from_s = self._anchor or (now_s, self._pts_s)
            self._anchor = (now_s, from_s + (now_s - since_s) * self._speed)
            self._speed = speed
            self._wish.set()

    def wake(self) -> None:
        """End the worker's waiting without a wish."""
        self._wish.set()

    def resume(self) -> None:
        """Time that passed while nobody played does not count."""
        with self._lock:
            self._anchor_here()

    def next_move(self, told: threading.Event) -> Move | None:
        """The next frame once it is due; None where waiting ended for another reason."""
        self._wish.clear()
        if told.is_set():
            return None
        with self._lock:
            epoch, target_s, steps = self._epoch, self._seek_s, self._steps
            moves_on = self._is_playing and not self._at_end
        if target_s is not None:
            return self._jump(epoch, target_s)
        if steps < 0:
            return self._step_back(epoch)
        if self._wants_first or steps > 0:
            return self._give(self._read_ahead(epoch), is_step=steps > 0)
        if not moves_on:
            self._clock.wait(self._wish, _IDLE_S)
            return None
        move = self._read_ahead(epoch)
        if move is not None and self._is_paced and not self._wait_until_due(move.frame.pts_s):
            return None
        return self._give(move)

    def _jump(self, epoch: int, target_s: float) -> Move | None:
        self._ahead = None
        self._run.clear()
        self._source.seek(target_s)
        move = self._read_ahead(epoch)
        with self._lock:
            if self._epoch != epoch:
                return None
            self._seek_s = None
            self._anchor = None
        return self._give(move)

    def _step_back(self, epoch: int) -> Move | None:
        with self._lock:
            count, pts_s = -self._steps, self._pts_s
        move = self._frames_before(epoch, count, pts_s)
        with self._lock:
            if self._epoch != epoch:
                self._run.clear()
                return None
            self._steps += count
        return self._give(move)

    def _frames_before(self, epoch: int, count: int, pts_s: float) -> Move | None:
        """The frame `count` before the one at `pts_s`, or the first."""
        if len(self._run) > count:
            pts_s = self._run[-count]
            for _ in range(count + 1):
                self._run.pop()
            count = 1
        else:
            self._run.clear()
        tick_s = float(self._source.info.time_base)
        move = None
        for _ in range(count):
            self._ahead = None
            self._source.seek(pts_s - tick_s)
            move = self._read_ahead(epoch)
            if move is None or move.frame.pts_s >= pts_s:
                break
            pts_s = move.frame.pts_s
        return move

    def _read_ahead(self, epoch: int) -> Move | None:
        """The next frame, decoded but not given out yet."""
        if self._ahead is None:
            started_s = self._clock.now_s()
            frame = self._source.read()
            if self._is_live:
                return self._live_move(epoch, frame)
            if frame is None:
                with self._lock:
                    self._at_end = self._epoch == epoch
                    self._steps = 0
                    self._is_playing = self._is_playing and not self._at_end
                    self._wants_first = False
                return None
            self._ahead = Move(epoch, frame, (self._clock.now_s() - started_s) * 1e3)
        return self._ahead

    def _live_move(self, epoch: int, frame: Frame | None) -> Move | None:
        """A live frame as it came, in a new epoch after a break; None where none came."""
        if frame is None:
            return None
        signal = signal_of(self._source)
        with self._lock:
            if signal is not None and signal.breaks != self._breaks:
                self._breaks = signal.breaks
                self._epoch += 1
                epoch = self._epoch
        return Move(epoch, frame, (self._clock.now_s() - frame.captured_s) * 1e3)

    def _wait_until_due(self, pts_s: float) -> bool:
        """False if a wish came first; the frame then stays ahead."""
        while (wait_s := self._due_s(pts_s) - self._clock.now_s()) > 0:
            if self._clock.wait(self._wish, min(wait_s, _IDLE_S)):
                return False
        return not self._wish.is_set()

    def _due_s(self, pts_s: float) -> float:
        """When a frame is to be seen, by the clock."""
        with self._lock:
            since_s, from_s = self._anchor or (self._clock.now_s(), self._pts_s)
            return since_s + (pts_s - from_s) / self._speed

    def _anchor_here(self) -> None:
        """Count time from now on, beginning at the frame that is seen."""
        self._anchor = (self._clock.now_s(), self._pts_s)

    def _give(self, move: Move | None, *, is_step: bool = False) -> Move | None:
        """Hand a frame out, stamped with the moment it comes to be seen; live ones have theirs."""
        if move is None:
            return None
        self._ahead = None
        with self._lock:
            if move.epoch != self._epoch:
                return None
            self._steps -= is_step and self._steps > 0
            self._wants_first = False
            now_s = self._clock.now_s()
            is_late = now_s - self._due_s(move.frame.pts_s) > _CATCH_UP_S
            self._pts_s = move.frame.pts_s
            self._run.append(move.frame.pts_s)
            if self._anchor is None or is_late or not self._is_playing:
                self._anchor_here()
        if self._is_live:
            return move
        return replace(move, frame=replace(move.frame, captured_s=now_s))
