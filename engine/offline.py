"""Every frame of a source, in order, none dropped: for files, not for the screen.

Decoding and each stage of the analysis have a thread and run ahead by a few frames; what is done
with the results (painting, writing) happens in the caller's thread at the same time. So the pace
is that of the slowest stage, not the sum of all. That stage is the network, the first: on two cores
it reaches its own pace only if all other threads step back.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from engine.errors import BackendError, HaustraError, SourceError
from engine.mailbox import Bounded
from engine.priority import step_back
from engine.sources import VideoSource
from engine.stages import Analyse, Stage
from engine.types import Analysis

_log = logging.getLogger(__name__)

_AHEAD = 3
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Processed:
    """One analysed frame and how long it took to decode."""

    analysis: Analysis
    decode_ms: float


@dataclass(frozen=True, slots=True)
class _End:
    """After the last item: all done, or why not."""

    error: HaustraError | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """A frame, or what the stages so far made of it."""

    product: Any
    decode_ms: float


_Line = Bounded[_Item | _End]


def analyse_every_frame(source: VideoSource, analyser: Analyse) -> Generator[Processed, None, None]:
    """Decode, analyse and yield every frame from where `source` stands to its end.

    Closing the iterator early ends the threads; the source stays open.

    Raises:
        HaustraError: what the source or the analyser raised, after all frames before it.
    """
    lines: list[_Line] = [Bounded(_AHEAD) for _ in range(1 + len(analyser.stages))]
    threads = [threading.Thread(target=_decode, args=(source, lines[0]), name="decode")]
    for number, (before, after) in enumerate(itertools.pairwise(lines)):
        stage, work = analyser.stages[number], _work if number == 0 else _work_behind
        threads.append(threading.Thread(target=work, args=(stage, before, after), name=stage.name))
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        while isinstance(item := lines[-1].take(), _Item):
            yield Processed(item.product, item.decode_ms)
        if item is not None and item.error is not None:
            raise item.error
    finally:
        for line in lines:
            line.close()
        for thread in threads:
            thread.join(_JOIN_S)


def _decode(source: VideoSource, decoded: _Line) -> None:
    step_back()
    try:
        while True:
            started_s = time.monotonic()
            frame = source.read()
            if frame is None:
                break
            if not decoded.put(_Item(frame, (time.monotonic() - started_s) * 1e3)):
                return
    except HaustraError as error:
        decoded.put(_End(error))
    except Exception as error:  # noqa: BLE001  (top of a worker)
        _log.error("decoding stopped", exc_info=error)
        decoded.put(_End(SourceError(f"Decoding failed: {error}.", "The file may be damaged.")))
    else:
        decoded.put(_End())


def _work_behind(stage: Stage, before: _Line, after: _Line) -> None:
    step_back()
    _work(stage, before, after)


def _work(stage: Stage, before: _Line, after: _Line) -> None:
    try:
        while isinstance(item := before.take(), _Item):
            if not after.put(_Item(stage(item.product), item.decode_ms)):
                return
        if item is not None:
            after.put(item)
    except HaustraError as error:
        after.put(_End(error))
    except Exception as error:  # noqa: BLE001  (top of a worker)
        _log.error("%s stopped", stage.name, exc_info=error)
        after.put(_End(BackendError(f"The analysis failed: {error}.", "Run haustra doctor.")))
