from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.errors import BackendError, SourceError
from engine.offline import Processed, analyse_every_frame
from engine.sources.pattern import Pattern
from engine.types import Analysis, Frame
from tests.fakes import WAIT_S, EasyAnalyser, FailingAnalyser

SPEC = "pattern:128x64@50,frames=30"


@dataclass
class BreakingPattern(Pattern):
    """Stops with an error after some frames."""

    error: Exception
    after: int = 5
    given: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        Pattern.__init__(self, SPEC)

    def read(self) -> Frame | None:
        if self.given == self.after:
            raise self.error
        self.given += 1
        return super().read()


def indices(results: Iterable[Processed]) -> Iterator[int]:
    for processed in results:
        yield processed.analysis.frame.index


def test_every_frame_is_analysed_once_and_in_order() -> None:
    results = analyse_every_frame(Pattern(SPEC), EasyAnalyser())
    assert list(indices(results)) == list(range(30))


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own here")
def test_the_first_stage_goes_before_the_others_and_before_decoding() -> None:
    here = priority()
    found: dict[str, int] = {}

    class Noting(Pattern):
        def read(self) -> Frame | None:
            found["decode"] = priority()
            return super().read()

    class Second(EasyAnalyser):
        def __call__(self, analysis: Any) -> Any:
            found["second"] = priority()
            return analysis

    class First(EasyAnalyser):
        def __call__(self, frame: Frame) -> Analysis:
            found["first"] = priority()
            return super().__call__(frame)

    analyser = First()
    analyser.stages = (analyser, Second())
    assert len(list(analyse_every_frame(Noting(SPEC), analyser))) == 30
    assert found["first"] == here == priority()
    assert found["decode"] > here < found["second"]


def priority() -> int:
    """Of the calling thread; higher goes later."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_frames_are_analysed_ahead_of_the_one_that_is_used() -> None:
    analyser = EasyAnalyser()
    results = analyse_every_frame(Pattern(SPEC), analyser)
    next(results)
    reached = threading.Event()
    for _ in range(int(WAIT_S / 0.005)):
        if len(analyser.seen) > 2:
            reached.set()
            break
        threading.Event().wait(0.005)
    results.close()
    assert reached.is_set()


def test_only_a_few_frames_wait_in_memory() -> None:
    source = Pattern("pattern:128x64@50,frames=1000")
    results = analyse_every_frame(source, EasyAnalyser())
    next(results)
    threading.Event().wait(0.2)
    results.close()
    left = source.read()
    assert left is not None
    assert left.index < 20


def test_leaving_early_ends_the_threads() -> None:
    before = threading.active_count()
    results = analyse_every_frame(Pattern(SPEC), EasyAnalyser())
    next(results)
    results.close()
    assert threading.active_count() == before


def test_a_failing_analyser_is_heard_after_the_frames_before_it() -> None:
    done: list[int] = []
    with pytest.raises(BackendError, match="back end broke"):
        done.extend(indices(analyse_every_frame(Pattern(SPEC), FailingAnalyser(at=4))))
    assert done == [0, 1, 2, 3]


def test_a_failing_source_is_heard_after_the_frames_before_it() -> None:
    source = BreakingPattern(SourceError("The disk is gone.", "Plug it in."))
    done: list[int] = []
    with pytest.raises(SourceError, match="disk is gone"):
        done.extend(indices(analyse_every_frame(source, EasyAnalyser())))
    assert done == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError()])
def test_surprises_in_a_thread_are_explained(error: Exception) -> None:
    with pytest.raises(BackendError, match="analysis failed"):
        list(analyse_every_frame(Pattern(SPEC), FailingAnalyser(error=error)))


def test_surprises_in_a_source_are_explained() -> None:
    with pytest.raises(SourceError, match="Decoding failed"):
        list(analyse_every_frame(BreakingPattern(ZeroDivisionError()), EasyAnalyser()))
