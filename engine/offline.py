"""Every frame of a source, in order, none dropped: for files, not for the screen.

Decoding and analysis each have a thread and run ahead by a few frames; what is done with the
results (painting, writing) happens in the caller's thread at the same time. So the pace is that
of the slowest stage, not the sum of all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from engine.errors import BackendError, HaustraError, SourceError
from engine.mailbox import Bounded
from engine.sources import VideoSource
from engine.types import Analysis, Frame

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


_Decoded = tuple[Frame, float]


def analyse_every_frame(
    source: VideoSource, analyse: Callable[[Frame], Analysis]
) -> Generator[Processed, None, None]:
    """Decode, analyse and yield every frame from where `source` stands to its end.

    Closing the iterator early ends the threads; the source stays open.

    Raises:
        HaustraError: what the source or the analyser raised, after all frames before it.
    """
    decoded: Bounded[_Decoded | _End] = Bounded(_AHEAD)
    results: Bounded[Processed | _End] = Bounded(_AHEAD)
    threads = [
        threading.Thread(target=_decode, args=(source, decoded), name="decode", daemon=True),
        threading.Thread(target=_analyse, args=(analyse, decoded, results), name="analyse",
                         daemon=True),
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        while isinstance(item := results.take(), Processed):
            yield item
        if item is not None and item.error is not None:
            raise item.error
    finally:
        decoded.close()
        results.close()
        for thread in threads:
            thread.join(_JOIN_S)


def _decode(source: VideoSource, decoded: Bounded[_Decoded | _End]) -> None:
    try:
        while True:
            started_s = time.monotonic()
            frame = source.read()
            if frame is None:
                break
            if not decoded.put((frame, (time.monotonic() - started_s) * 1e3)):
                return
    except HaustraError as error:
        decoded.put(_End(error))
    except Exception as error:  # noqa: BLE001  (top of a worker)
        _log.error("decoding stopped", exc_info=error)
        decoded.put(_End(SourceError(f"Decoding failed: {error}.", "The file may be damaged.")))
    else:
        decoded.put(_End())


def _analyse(
    analyse: Callable[[Frame], Analysis],
    decoded: Bounded[_Decoded | _End],
    results: Bounded[Processed | _End],
) -> None:
    try:
        while isinstance(item := decoded.take(), tuple):
            frame, decode_ms = item
            if not results.put(Processed(analyse(frame), decode_ms)):
                return
        if item is not None:
            results.put(item)
    except HaustraError as error:
        results.put(_End(error))
    except Exception as error:  # noqa: BLE001  (top of a worker)
        _log.error("analysis stopped", exc_info=error)
        results.put(_End(BackendError(f"The analysis failed: {error}.", "Run haustra doctor.")))
