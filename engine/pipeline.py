"""Plays a source and finds the folds on it, so that the picture never waits for the model.

```
 decode ── source.read() → wait until due → Latest ─────────────────────────▶ newest()
                                          └▶ Latest ─▶ segment ─▶ follow ───▶ newest()
```
A thread for decoding and one for each stage of the analyser, so that folds are followed while the
network looks at the next frame. Only the first stage ever skips a frame. Each worker is in one of
these states:

```
 STOPPED ─start─▶ STARTING ─▶ RUNNING ─stop─▶ STOPPING ─▶ STOPPED ─start─▶ ...
                                 │ exception
                                 ▼
                              FAULTED ─start─▶ STARTING        (the other workers go on)
```
Every published frame carries an epoch and a sequence number. A seek starts a new epoch, and what
was analysed in an older one is discarded; so a picture only ever meets its own overlay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any

from engine.errors import HaustraError
from engine.mailbox import Bounded, Latest
from engine.playback import Pace, Playback
from engine.sources import VideoSource
from engine.stages import Analyse, Stage
from engine.timing import Clock, Percentiles, RateMeter, RollingLatency, SystemClock
from engine.types import Analysis, Frame, PipelineStatus, WorkerState

__all__ = ["Pace", "Pipeline", "Shown", "ShownState"]

_log = logging.getLogger(__name__)

_TAKE_S = 0.2
_LATE_FRAMES = 2
_LATE_S = 0.1


class ShownState(StrEnum):
    """What a picture on the screen is worth."""

    LIVE = "live"
    """The folds shown belong to this very picture, and it is new."""
    LATE = "late"
    """The picture is new; its folds are not known yet, so none are shown."""
    FAULT = "fault"
    """Something broke; the newest picture is shown bare."""
    NO_SIGNAL = "no signal"
    """There is no picture."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What to put on the screen now."""

    frame: Frame | None
    analysis: Analysis | None
    """Only ever of `frame` itself (`analysis.frame is frame`), else None."""
    state: ShownState


@dataclass(frozen=True, slots=True)
class Published:
    """A frame with its place in the stream, and what became of it so far."""

    epoch: int
    number: int
    frame: Frame
    product: Any = None
    """Of the last stage that had it: an `Analysis` in the end."""


class _Station:
    """A stage of the analyser with its worker's state."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.epoch = -1
        self.ready: Bounded[Published] = Bounded(1)
        """What waits for this stage; the first one takes from the pipeline's slot instead."""

    def work(self, published: Published) -> Published:
        """Do this stage's part."""
        if published.epoch != self.epoch:
            self.stage.reset()
            self.epoch = published.epoch
        product = self.stage(published.product)
        return Published(published.epoch, published.number, published.frame, product)


class Worker:
    """One thread that does `step` until stopped; whatever it raises becomes a fault."""

    def __init__(self, name: str, step: Callable[[], None]) -> None:
        self.name = name
        self.state = WorkerState.STOPPED
        self.fault: str | None = None
        self._step = step
        self._thread: threading.Thread | None = None

    def start(self, told: threading.Event) -> None:
        """Start the thread; it ends once `told` is set."""
        self.state, self.fault = WorkerState.STARTING, None
        self._thread = threading.Thread(
            target=self._run, args=(told,), name=f"haustra-{self.name}", daemon=True
        )
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of the thread; False if it still runs."""
        if self._thread is None:
            return True
        if self.state is not WorkerState.FAULTED and self._thread.is_alive():
            self.state = WorkerState.STOPPING
        self._thread.join(max(0.0, timeout_s))
        if self._thread.is_alive():
            self.state = WorkerState.FAULTED
            self.fault = f"The {self.name} thread did not stop. Close the program and try again."
            return False
        if self.state is not WorkerState.FAULTED:
            self.state = WorkerState.STOPPED
        self._thread = None
        return True

    def _run(self, told: threading.Event) -> None:
        self.state = WorkerState.RUNNING
        try:
            while not told.is_set():
                self._step()
        except HaustraError as error:
            self.fault = str(error)
        except Exception as error:  # noqa: BLE001  (top of a worker)
            _log.error("the %s worker stopped", self.name, exc_info=error)
            self.fault = f"The {self.name} thread failed: {error}. Open the source again."
        if self.fault is not None:
            self.state = WorkerState.FAULTED


class Pipeline:
    """Plays `source`; `analyser` None plays it bare. The caller closes the source after `stop`.

    Args:
        pace: REAL_TIME by time stamps and speed, or FLAT_OUT as fast as frames can be decoded.
        clock: injected by tests.
        is_playing: False starts paused on the first frame.
    """

    def __init__(
        self,
        source: VideoSource,
        analyser: Analyse | None,
        *,
        pace: Pace = Pace.REAL_TIME,
        clock: Clock | None = None,
        is_playing: bool = True,
    ) -> None:
        self._source = source
        self._clock: Clock = clock or SystemClock()
        self._told = threading.Event()
        self._playback = Playback(source, self._clock, pace, is_playing=is_playing)
        self._lock = threading.Lock()
        self._newest: Published | None = None
        self._analysed: Published | None = None
        self._slot: Latest[Published] = Latest()
        self._dropped_before = 0
        self._frames_in = self._analysed_count = 0
        self._latency, self._rate = RollingLatency(), RateMeter()
        self._decode_ms = RollingLatency(1024)
        self._workers = [Worker("decode", self._decode_step)]
        self._stations = [_Station(stage) for stage in (analyser.stages if analyser else ())]
        self._workers += [
            Worker(station.stage.name, partial(self._analyse_step, place))
            for place, station in enumerate(self._stations)
        ]

    # Start and stop

    def start(self) -> None:
        """Start the workers; does nothing while all run, or while one refuses to stop."""
        going = (WorkerState.STARTING, WorkerState.RUNNING)
        if all(worker.state in going for worker in self._workers) or not self.stop():
            return
        self._told = threading.Event()
        with self._lock:
            self._dropped_before += self._slot.replaced
            self._slot = Latest()
        for station in self._stations:
            station.ready = Bounded(1)
        self._playback.resume()
        for worker in self._workers:
            worker.start(self._told)

    def stop(self, timeout_s: float = 2.0) -> bool:
        """End the workers within `timeout_s`; False if one still runs. May be called twice."""
        self._told.set()
        self._playback.wake()
        self._slot.close()
        for station in self._stations:
            station.ready.close()
        deadline_s = SystemClock().now_s() + timeout_s
        stopped = [worker.join(deadline_s - SystemClock().now_s()) for worker in self._workers]
        return all(stopped)

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop, then close the source, unless a worker is still busy with it."""
        if self.stop(timeout_s):
            self._source.close()

    # What the user wants

    def play(self) -> None:
        """Go on; at the end, from the start."""
        self._playback.play()

    def pause(self) -> None:
        """Stay on this frame."""
        self._playback.pause()

    def seek(self, pts_s: float) -> None:
        """Go to the frame shown at `pts_s`, in a new epoch; playing goes on if it did."""
        self._playback.seek(pts_s)

    def step(self, count: int) -> None:
        """Pause and go `count` frames on, or back when negative."""
        self._playback.step(count)

    def set_speed(self, speed: float) -> None:
        """1.0 is real time. Raises ValueError unless 0 < speed <= 64."""
        self._playback.set_speed(speed)

    @property
    def is_playing(self) -> bool:
        """Frames advance, or will once the workers run."""
        return self._playback.is_playing

    @property
    def speed(self) -> float:
        """1.0 is real time."""
        return self._playback.speed

    @property
    def position_s(self) -> float:
        """Time stamp of the newest frame, or of the frame a seek is under way to."""
        return self._playback.position_s

    # What there is to see

    def status(self) -> PipelineStatus:
        """A snapshot; never waits."""
        faults = [worker.fault for worker in self._workers if worker.fault]
        latency = self._latency.percentiles()
        with self._lock:
            return PipelineStatus(
                workers=MappingProxyType({worker.name: worker.state for worker in self._workers}),
                fault=" ".join(faults) or None,
                frames_in=self._frames_in,
                analysed=self._analysed_count,
                dropped=self._dropped_before + self._slot.replaced,
                latency_p50_ms=latency.p50 if latency else None,
                latency_p99_ms=latency.p99 if latency else None,
                analysed_hz=self._rate.rate_hz(),
                at_end=self._playback.at_end,
                note=self._source.note,
            )

    def newest(self) -> Shown:
        """The newest picture with its own folds, or bare if the folds are late. Never waits."""
        with self._lock:
            newest, analysed = self._newest, self._analysed
        if newest is None:
            return Shown(None, None, ShownState.FAULT if self._is_faulted else ShownState.NO_SIGNAL)
        if self._is_faulted:
            is_own = analysed is not None and analysed.frame is newest.frame
            analysis = analysed.product if analysed is not None and is_own else None
            return Shown(newest.frame, analysis, ShownState.FAULT)
        if analysed is not None and self._is_fresh(analysed, newest):
            return Shown(analysed.product.frame, analysed.product, ShownState.LIVE)
        return Shown(newest.frame, None, ShownState.LATE)

    def decode_spread(self) -> Percentiles | None:
        """How long frames took to decode, over the last thousand; None before the first."""
        return self._decode_ms.percentiles()

    @property
    def _is_faulted(self) -> bool:
        return any(worker.state is WorkerState.FAULTED for worker in self._workers)

    def _is_fresh(self, analysed: Published, newest: Published) -> bool:
        """Whether an analysed frame may still stand for the newest one."""
        if analysed.epoch != newest.epoch:
            return False
        if analysed.number == newest.number:
            return True
        interval_s = 1 / (self._source.info.frame_rate_hz or 25.0)
        limit_s = max(_LATE_FRAMES * interval_s / self.speed, _LATE_S)
        # A picture that stands still must not hide behind the one before it for long.
        if self._clock.now_s() - newest.frame.captured_s > limit_s:
            return False
        behind = newest.number - analysed.number
        behind_s = newest.frame.captured_s - analysed.frame.captured_s
        return behind <= _LATE_FRAMES or behind_s <= _LATE_S

    # Workers

    def _decode_step(self) -> None:
        move = self._playback.next_move(self._told)
        if move is None:
            return
        self._decode_ms.add(move.decode_ms)
        with self._lock:
            number = self._newest.number + 1 if self._newest is not None else 0
            published = Published(move.epoch, number, move.frame, move.frame)
            if move.epoch != self._playback.epoch:
                return
            self._newest = published
            self._frames_in += 1
        self._slot.put(published)

    def _analyse_step(self, place: int) -> None:
        waiting = self._slot if place == 0 else self._stations[place].ready
        published = waiting.take(_TAKE_S)
        if published is None:
            return
        done = self._stations[place].work(published)
        if place + 1 < len(self._stations):
            self._stations[place + 1].ready.put(done)
        else:
            self._publish(done)

    def _publish(self, done: Published) -> None:
        now_s = self._clock.now_s()
        with self._lock:
            self._analysed_count += 1
            self._rate.tick(now_s)
            self._latency.add((now_s - done.frame.captured_s) * 1e3)
            if done.epoch == self._playback.epoch:
                self._analysed = done
