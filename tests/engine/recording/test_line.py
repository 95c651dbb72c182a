from __future__ import annotations

import threading

from engine.recording.line import Line

WAIT_S = 20.0


class Slow:
    """An output whose last step waits for the test."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.is_finishing, self.may_finish = threading.Event(), threading.Event()

    def write(self, item: str) -> None:
        self.written.append(item)

    def idle(self) -> None:
        """Nothing to do."""

    def finish(self) -> None:
        self.is_finishing.set()
        assert self.may_finish.wait(WAIT_S)

    def abandon(self) -> None:
        """Nothing is held."""


def test_all_that_was_offered_before_the_end_is_written() -> None:
    output = Slow()
    line = Line("raw", output, 100)
    offered = [str(number) for number in range(100)]
    assert all(line.offer(item) for item in offered)
    line.end()
    output.may_finish.set()
    assert line.join(WAIT_S)
    assert (output.written, line.dropped) == (offered, 0)


def test_what_comes_after_the_end_is_counted_while_the_file_is_completed() -> None:
    output = Slow()
    line = Line("raw", output, 100)
    line.end()
    assert output.is_finishing.wait(WAIT_S)
    assert not line.offer("late")
    output.may_finish.set()
    assert line.join(WAIT_S)
    assert (output.written, line.dropped) == ([], 1)
