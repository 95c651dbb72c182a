from __future__ import annotations

import io

import pytest

from app.progress import Progress, describe


class Terminal(io.StringIO):
    """Text that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "elapsed_s", "text"),
    [
        (120, 480, 2.0, "120 of 480 frames, 25 %, 60 fps, 6 s left"),
        (10, 60_000, 1.0, "10 of 60000 frames, 0 %, 10 fps, 100 min left"),
        (120, None, 2.0, "120 frames, 60 fps"),
        (500, 480, 10.0, "500 frames, 50 fps"),
        (0, 480, 0.0, "0 of 480 frames, 0 %, 0 fps, 0 s left"),
    ],
)
def test_progress_in_words(done: int, total: int | None, elapsed_s: float, text: str) -> None:
    assert describe(done, total, elapsed_s) == text


def test_progress_is_told_on_a_terminal() -> None:
    out = Terminal()
    Progress(10, out).advance()
    assert "1 of 10 frames" in out.getvalue()


def test_the_line_is_cleared_at_the_end() -> None:
    out = Terminal()
    progress = Progress(10, out)
    progress.advance()
    progress.finish()
    assert out.getvalue().endswith("\r\x1b[K")


def test_progress_is_silent_elsewhere() -> None:
    out = io.StringIO()
    progress = Progress(10, out)
    progress.advance()
    progress.finish()
    assert out.getvalue() == ""
