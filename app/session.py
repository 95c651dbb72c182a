"""The controller: what the user wants and what the pipeline does, resolved to one `Screen`.

Knows no widget and needs no display. The window calls `tick` on a timer and paints what comes
back; nothing here blocks.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from app.clearness import Clearness
from app.notices import Notice, NoticeKind
from app.opening import Model, OpenAnalyser, Opened, Opening, OpenSource, Stage
from app.recordings import RecordingChoice, Recordings
from app.screen import Loop, Screen, Signal
from engine.analyser import open_analyser
from engine.backends import AUTOMATIC
from engine.errors import HaustraError
from engine.pipeline import Mode, Pipeline, Shown, ShownState
from engine.sources import open_source
from engine.sources.address import public_name
from engine.types import PipelineStatus

SPEEDS = (0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 4.0)
IDLE = "Nothing is open."
UNCLEAR = "Hard to see: folds may be wrong."
_LATE = "Folds are shown only where they match the picture."


class Session:
    """One window's work: at most one source, its pipeline and the user's intentions."""

    def __init__(
        self,
        open_source: OpenSource = open_source,
        open_analyser: OpenAnalyser = open_analyser,
        backend: str = AUTOMATIC,
    ) -> None:
        self._open_source = open_source
        self._model = Model(open_analyser)
        self._backend = backend
        self._stage = Stage()
        self._spec: str | None = None
        self._opening: Opening | None = None
        self._openings: list[Opening] = []
        self._seen: Opened | None = None
        self._notices: list[Notice] = []
        self._told: PipelineStatus | None = None
        self._told_backend: str | None = None
        self._loop: Loop | None = None
        self._mode = Mode.MATCHED
        self._recordings = Recordings()
        self._clearness = Clearness()

    # Opening and closing

    def open(self, spec: str | Path) -> None:
        """Open another source in the background; what plays goes on until that succeeds."""
        self._spec = str(spec)
        if self._opening is not None:
            self._opening.give_up()
        self._opening = Opening(str(spec), self._open_source, self._model, self._stage)
        self._openings = [*(old for old in self._openings if not old.is_done), self._opening]

    @property
    def spec(self) -> str | None:
        """What was opened last, or is being opened."""
        return self._spec

    def wait_until_open(self, timeout_s: float) -> bool:
        """Wait for the source asked for last; for commands and tests, never for the window."""
        return self._opening is None or self._opening.wait(timeout_s)

    def close(self, timeout_s: float = 3.0) -> bool:
        """Stop everything; False where something still runs after `timeout_s`."""
        deadline_s = time.monotonic() + timeout_s
        is_recorded = self._recordings.close(timeout_s)
        for opening in self._openings:
            opening.give_up()
        # A model that is being loaded when the interpreter ends takes the program down with it.
        ended = [opening.wait(deadline_s - time.monotonic()) for opening in self._openings]
        has_stopped = self._stage.clear() and all(ended)
        if has_stopped:
            self._model.close()
        return has_stopped and is_recorded

    # What the user wants

    def play(self) -> None:
        """Play; at the end, from the start."""
        if self._pipeline is not None:
            self._pipeline.play()

    def pause(self) -> None:
        """Stay on the picture on screen."""
        if self._pipeline is not None:
            self._pipeline.pause()

    def toggle_play(self) -> None:
        """Play or pause; at the end, play again from the start."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        if pipeline.is_playing and not pipeline.status().at_end:
            pipeline.pause()
        else:
            pipeline.play()

    def step(self, count: int) -> None:
        """Pause and move by `count` frames."""
        if self._pipeline is not None:
            self._pipeline.step(count)

    def seek(self, position_s: float) -> None:
        """Go to a time, clamped to the source."""
        opened = self._stage.opened
        if opened is not None and opened.info.duration_s is not None:
            opened.pipeline.seek(min(max(0.0, position_s), opened.info.duration_s))

    def seek_by(self, seconds: float) -> None:
        """Go on or back."""
        if self._pipeline is not None:
            self.seek(self._pipeline.position_s + seconds)

    def seek_to_end(self) -> None:
        """Go to the last frame."""
        opened = self._stage.opened
        if opened is not None and opened.info.duration_s is not None:
            self.seek(opened.info.duration_s)

    def change_speed(self, steps: int) -> None:
        """Faster (+1) or slower (-1) by one notch of `SPEEDS`; 0 is normal speed."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        nearest = min(range(len(SPEEDS)), key=lambda at: abs(SPEEDS[at] - pipeline.speed))
        wanted = min(max(0, nearest + steps), len(SPEEDS) - 1)
        pipeline.set_speed(SPEEDS[wanted] if steps else 1.0)

    def set_mode(self, mode: Mode) -> None:
        """Pictures with their own folds, or the newest with folds moved along; kept for all."""
        self._mode = mode
        if self._pipeline is not None:
            self._pipeline.set_mode(mode)

    def change_backend(self, name: str) -> None:
        """Have the model computed by another back end while pictures go on; kept for all."""
        if name != self._backend:
            self._backend = name
            self._model.change_backend(name)

    def cycle_loop(self) -> None:
        """First call: repeat from here. Second: to here. Third: do not repeat."""
        pipeline = self._pipeline
        if pipeline is None or pipeline.info.is_live:
            return
        here_s = pipeline.position_s
        if self._loop is None:
            self._loop = Loop(here_s)
        elif self._loop.end_s is None and here_s > self._loop.start_s:
            self._loop = replace(self._loop, end_s=here_s)
        else:
            self._loop = None

    def record(self, choice: RecordingChoice) -> None:
        """Record what plays from now on; what keeps it from that is told."""
        opened = self._stage.opened
        if opened is None:
            return
        try:
            self._recordings.start(opened, choice)
        except HaustraError as error:
            self.tell(Notice.of(error))

    def end_recording(self) -> None:
        """Complete the files in the background, and tell where they are."""
        self._tell_of(self._recordings.stop())

    # What happens

    def tell(self, notice: Notice) -> None:
        """Have the window show `notice`; from any thread."""
        if notice not in self._notices:
            self._notices.append(notice)

    def take_notices(self) -> tuple[Notice, ...]:
        """What to tell the user since the last call."""
        taken, self._notices = tuple(self._notices), []
        return taken

    def tick(self) -> Screen:
        """Look at everything once. Never blocks."""
        if self._opening is not None and self._opening.is_done:
            self._notices.extend(self._opening.notices)
            self._opening = None
        opened = self._stage.opened
        self._tell_of(self._recordings.look(opened))
        if opened is not self._seen:
            self._seen, self._loop, self._told = opened, None, None
        if opened is None:
            return Screen(
                mode=self._mode,
                backend=self._backend,
                detail=IDLE if self._opening is None else _opening_text(self._opening),
            )
        opened.pipeline.set_mode(self._mode)
        status = opened.pipeline.status()
        self._repeat(opened.pipeline, status)
        self._tell_status(status)
        self._tell_backend(opened)
        return self._screen(opened, status)

    @property
    def _pipeline(self) -> Pipeline | None:
        opened = self._stage.opened
        return None if opened is None else opened.pipeline

    def _tell_of(self, notice: Notice | None) -> None:
        if notice is not None:
            self.tell(notice)

    def _repeat(self, pipeline: Pipeline, status: PipelineStatus) -> None:
        loop = self._loop
        if loop is None or loop.end_s is None or not pipeline.is_playing:
            return
        if pipeline.position_s >= loop.end_s or status.at_end:
            pipeline.seek(loop.start_s)

    def _tell_status(self, status: PipelineStatus) -> None:
        """Tell each fault and each note once."""
        told, self._told = self._told, status
        if status.fault is not None and (told is None or status.fault != told.fault):
            self.tell(Notice(status.fault, kind=NoticeKind.FAULT))
        if status.note is not None and (told is None or status.note != told.note):
            self.tell(Notice(status.note))

    def _tell_backend(self, opened: Opened) -> None:
        """Tell once what the back end has to say."""
        note = None if opened.analyser is None else opened.analyser.note
        told, self._told_backend = self._told_backend, note
        if note is not None and note != told:
            self.tell(Notice(note))

    def _screen(self, opened: Opened, status: PipelineStatus) -> Screen:
        shown = opened.pipeline.newest()
        is_playing = opened.pipeline.is_playing and not status.at_end
        signal, detail = judge(shown, status, opened, is_playing=is_playing)
        is_clear = self._clearness.look(shown.analysis or shown.tracked)
        if not detail and not is_clear:
            detail = UNCLEAR
        if self._opening is not None:
            detail = _opening_text(self._opening)
        return Screen(
            signal=signal,
            detail=detail,
            info=opened.pipeline.info,
            model="" if opened.analyser is None else opened.analyser.description,
            choice="" if opened.analyser is None else opened.analyser.choice,
            frame=shown.frame,
            analysis=shown.analysis,
            tracked=shown.tracked,
            mode=self._mode,
            backend=self._backend,
            is_clear=is_clear,
            is_playing=is_playing,
            position_s=(opened.pipeline.position_s if shown.frame is None else shown.frame.pts_s),
            speed=opened.pipeline.speed,
            loop=self._loop,
            status=status,
            recording=self._recordings.status,
        )


def judge(
    shown: Shown, status: PipelineStatus, opened: Opened, *, is_playing: bool
) -> tuple[Signal, str]:
    """The word for the status line and the sentence beside it."""
    has_signal = status.signal is None or status.signal.is_present
    is_past = status.signal is not None and shown.state is ShownState.NO_SIGNAL
    if is_playing and (is_past or not has_signal):
        return Signal.NO_SIGNAL, f"No signal from {opened.info.name}. Waiting."
    if status.fault is not None:
        return Signal.FAULT, status.fault
    if shown.frame is None:
        return Signal.NO_SIGNAL, f"Waiting for the first picture of {opened.info.name}."
    if opened.analyser is None:
        return Signal.FAULT, "No model: the video plays without folds."
    if not is_playing:
        if status.at_end:
            return Signal.PAUSED, "At the end. Space plays it again."
        if not has_signal:
            return Signal.PAUSED, f"Frozen. No signal from {opened.info.name}."
        waiting = shown.analysis is None and shown.tracked is None
        return Signal.PAUSED, "Finding the folds of this picture." if waiting else ""
    if shown.state is ShownState.LIVE:
        return Signal.LIVE, ""
    if shown.tracked is not None:
        return Signal.TRACKED, f"Folds are {shown.tracked.age_ms:.0f} ms old, moved along."
    return Signal.LATE, _LATE


def _opening_text(opening: Opening) -> str:
    spec = opening.spec
    name = public_name(spec) if "://" in spec else Path(spec).name or spec
    return f"Opening {name}."
