"""A part of the screen: how it is asked for on each system, and a real one where there is X11."""

from __future__ import annotations

import os
from contextlib import closing

import pytest

from engine.errors import SourceError
from engine.sources.screen import open_screen, screen_input

_X11 = {"DISPLAY": ":7"}


def test_linux_captures_x11() -> None:
    asked = screen_input("screen:10,20,640x480?rate=30", "linux", _X11)
    assert (asked.format, asked.url) == ("x11grab", ":7")
    wanted = {"grab_x": "10", "grab_y": "20", "video_size": "640x480", "framerate": "30"}
    assert wanted.items() <= asked.options.items()


def test_windows_captures_the_desktop() -> None:
    asked = screen_input("screen:10,20,640x480", "win32", {})
    assert (asked.format, asked.url, asked.options["offset_y"]) == ("gdigrab", "desktop", "20")


def test_macos_captures_from_the_corner_only() -> None:
    assert screen_input("screen:0,0,640x480", "darwin", {}).format == "avfoundation"
    with pytest.raises(SourceError, match="begins at 0,0"):
        screen_input("screen:10,20,640x480", "darwin", {})


def test_without_a_screen_there_is_a_word_for_it() -> None:
    with pytest.raises(SourceError, match="no X11 screen"):
        screen_input("screen:0,0,640x480", "linux", {})


@pytest.mark.parametrize(
    "spec", ["screen:", "screen:0,0", "screen:0,0,1x1", "screen:0,0,640x480?rate=0"]
)
def test_a_part_that_makes_no_sense_is_refused(spec: str) -> None:
    with pytest.raises(SourceError):
        screen_input(spec, "linux", _X11)


@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="there is no X11 screen")
def test_a_part_outside_the_screen_is_refused() -> None:
    with (
        pytest.raises(SourceError, match="cannot be read"),
        closing(open_screen("screen:100000,0,640x480")),
    ):
        pass
