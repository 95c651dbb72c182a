"""Plays a source and finds the folds on it, so that the picture never waits for the model.

```
 decode ── source.read() → wait until due ─┬─▶ newest picture ───────────────▶ newest()
                                           ├─▶ Latest ─▶ segment ─▶ follow ──▶ newest()
                                           └─▶ Latest ─▶ carry (low latency) ▶ newest()
```
A thread for decoding and one for each stage of the analyser, so that folds are followed while the
network looks at the next frame. Only the first stage ever skips a frame. In the low-latency mode
one more thread moves the folds found last to the newest picture.

Every published frame carries an epoch and a sequence number. A seek starts a new epoch, and what
was analysed in an older one is discarded; so a picture only ever meets its own overlay.
"""

from __future__ import annotations

import threading
from functools import partial
from types import MappingProxyType

from engine.mailbox import Bounded, Latest
from engine.playback import Pace, Playback
from engine.recording import Recording
from engine.shown import Mode, Patience, Published, Shown, ShownState
from engine.sources import SourceInfo, VideoSource, signal_of
from engine.stages import Analyse, Stage
from engine.timing import Clock, RateMeter, RollingLatency, SystemClock
from engine.types import PipelineStatus, TrackedFolds, WorkerState
from engine.worker import Worker

__all__ = ["Mode", "Pace", "Pipeline", "Shown", "ShownState"]

_TAKE_S = 0.2


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


class Pipeline:
    """Plays `source`; `analyser` None plays it bare. The caller closes the source after `stop`.

    Args:
        pace: REAL_TIME by time stamps and speed, or FLAT_OUT as fast as frames can be decoded.
        clock: injected by tests.
        is_playing: False starts paused on the first frame.
        mode: may be changed at any time.
    """

    def __init__(
        self,
        source: VideoSource,
        analyser: Analyse | None,
        *,
        pace: Pace = Pace.REAL_TIME,
        clock: Clock | None = None,
        is_playing: bool = True,
        mode: Mode = Mode.MATCHED,
    ) -> None:
        self._source = source
        self._clock: Clock = clock or SystemClock()
        self._told = threading.Event()
        self._playback = Playback(source, self._clock, pace, is_playing=is_playing)
        self._lock = threading.Lock()
        self._newest: Published | None = None
        self._analysed: Published | None = None
        self._slot: Latest[Published] = Latest()
        self._mode = mode
        self._analyser = analyser
        self._to_carry: Latest[Published] = Latest()
        self._recording: Recording | None = None
        self._carried: TrackedFolds | None = None
        self._standing_in: TrackedFolds | None = None
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
        if self._stations:
            self._workers.append(Worker("carry", self._carry_step))

    # Start and stop

    def start(self) -> None:
        """Start the workers; does nothing while all run, or while one refuses to stop."""
        going = (WorkerState.STARTING, WorkerState.RUNNING)
        if all(worker.state in going for worker in self._workers) or not self.stop():
            return
        self._told = threading.Event()
        with self._lock:
            self._dropped_before += self._slot.replaced
            self._slot, self._to_carry = Latest(), Latest()
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
        self._to_carry.close()
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
    def mode(self) -> Mode:
        """Which picture is shown while its folds are still being found."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Show pictures with their own folds, or at once with folds moved along."""
        self._mode = mode

    def record(self, recording: Recording | None) -> None:
        """Tell `recording` of everything shown and found from now on; None ends that."""
        self._recording = recording

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

    @property
    def info(self) -> SourceInfo:
        """Of the source; another object once the picture of a live one has changed."""
        return self._source.info

    def status(self) -> PipelineStatus:
        """A snapshot; never waits."""
        signal = signal_of(self._source)
        missed = signal.replaced if signal is not None else 0
        faults = [worker.fault for worker in self._workers if worker.fault]
        latency = self._latency.percentiles()
        with self._lock:
            return PipelineStatus(
                workers=MappingProxyType({worker.name: worker.state for worker in self._workers}),
                fault=" ".join(faults) or None,
                frames_in=self._frames_in + missed,
                analysed=self._analysed_count,
                dropped=self._dropped_before + self._slot.replaced + missed,
                latency_p50_ms=latency.p50 if latency else None,
                latency_p99_ms=latency.p99 if latency else None,
                analysed_hz=self._rate.rate_hz(),
                at_end=self._playback.at_end,
                note=self._source.note,
                signal=signal,
            )

    def newest(self) -> Shown:
        """The picture to show now, with the folds that `mode` allows. Never waits."""
        with self._lock:
            newest, analysed = self._newest, self._analysed
        if newest is None:
            return Shown(None, None, ShownState.FAULT if self._is_faulted else ShownState.NO_SIGNAL)
        if self.is_playing and self._is_past(newest):
            return Shown(None, None, ShownState.NO_SIGNAL)
        is_own = analysed is not None and analysed.frame is newest.frame
        if analysed is not None and is_own:
            state = ShownState.FAULT if self._is_faulted else ShownState.LIVE
            return Shown(analysed.product.frame, analysed.product, state)
        if self._is_faulted:
            return Shown(newest.frame, None, ShownState.FAULT)
        patience = Patience.at(self._source.info.frame_rate_hz, self.speed)
        now_s = self._clock.now_s()
        if analysed is None or not patience.allows(analysed, newest, now_s):
            return Shown(newest.frame, None, ShownState.LATE)
        if self._mode is Mode.MATCHED:
            return Shown(analysed.product.frame, analysed.product, ShownState.LIVE)
        return Shown(newest.frame, None, ShownState.TRACKED, self._stand_in(analysed, newest))

    def decode_times_ms(self) -> tuple[float, ...]:
        """How long each of the last thousand frames took to decode."""
        return self._decode_ms.values()

    def _stand_in(self, analysed: Published, newest: Published) -> TrackedFolds:
        """The newest folds as far as they have been moved; the same object while that is so."""
        folds, found_in = analysed.product.folds, analysed.frame
        carried = self._carried
        if carried is not None and carried.found_in is found_in:
            folds = carried.folds
        last = self._standing_in
        if last is None or last.folds is not folds or last.frame is not newest.frame:
            last = self._standing_in = TrackedFolds(folds, newest.frame, found_in)
        return last

    def _is_past(self, newest: Published) -> bool:
        """Whether a live source sends nothing, or its next picture has not got here yet."""
        signal = signal_of(self._source)
        if signal is None:
            return False
        age_s = self._clock.now_s() - newest.frame.captured_s
        return not signal.is_present or age_s > signal.patience_s

    @property
    def _is_faulted(self) -> bool:
        return any(worker.state is WorkerState.FAULTED for worker in self._workers)

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
        if (recording := self._recording) is not None:
            recording.picture(published)
        self._slot.put(published)
        if self._mode is Mode.LOW_LATENCY:
            self._to_carry.put(published)

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

    def _carry_step(self) -> None:
        newest = self._to_carry.take(_TAKE_S)
        if newest is None or self._analyser is None:
            return
        self._carried = self._analyser.foreseen(newest.frame)

    def _publish(self, done: Published) -> None:
        now_s = self._clock.now_s()
        with self._lock:
            self._analysed_count += 1
            self._rate.tick(now_s)
            self._latency.add((now_s - done.frame.captured_s) * 1e3)
            if done.epoch == self._playback.epoch:
                self._analysed = done
            newest = self._newest
        if (recording := self._recording) is not None:
            recording.found(done)
        if self._mode is Mode.LOW_LATENCY and newest is not None:
            self._to_carry.put(newest)
