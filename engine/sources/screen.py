"""A part of the screen, for a viewer that gives its picture to nobody: the last resort.

`screen:LEFT,TOP,WIDTHxHEIGHT?rate=25`, in pixels of the first screen. What covers the viewer is
captured too, and so is scaling; a capture device is always better. X11 on Linux (a Wayland desktop
shows nothing to it), the desktop on Windows and the first display on macOS.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from engine.errors import SourceError
from engine.sources.address import LocalAddress
from engine.sources.feed import AvFeed, Input
from engine.sources.live import Live

_PLACE = re.compile(r"(\d+),(\d+),(\d+)x(\d+)")
_REMEDY = "Check that the part lies on the screen; on macOS allow screen recording in the settings."


@dataclass(frozen=True, slots=True)
class Region:
    """Of the screen, pixels."""

    left: int
    top: int
    width: int
    height: int
    rate_hz: str = "25"


def open_screen(spec: str) -> Live:
    """Capture what `spec` names.

    Raises:
        SourceError: malformed, or the screen cannot be captured.
    """
    asked = screen_input(spec)
    return Live(asked.name, partial(AvFeed, asked))


def screen_input(
    spec: str, system: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> Input:
    """What FFmpeg is to open for `spec` on `system`.

    Raises:
        SourceError: malformed, or there is no screen.
    """
    region = _parse(spec)
    size = f"{region.width}x{region.height}"
    options = {"framerate": region.rate_hz}
    name = f"screen {size}"
    if system.startswith("linux"):
        display = environment.get("DISPLAY")
        if not display:
            raise SourceError("There is no X11 screen to capture.", "Use a capture device.")
        place = {"grab_x": str(region.left), "grab_y": str(region.top), "draw_mouse": "0"}
        return _input(name, display, "x11grab", options | place | {"video_size": size})
    if system == "win32":
        place = {"offset_x": str(region.left), "offset_y": str(region.top), "draw_mouse": "0"}
        return _input(name, "desktop", "gdigrab", options | place | {"video_size": size})
    if (region.left, region.top) != (0, 0):
        raise SourceError(
            "On macOS only a part that begins at 0,0 can be captured.", "Move the viewer there."
        )
    return _input(name, "Capture screen 0:none", "avfoundation", options | {"video_size": size})


def _input(name: str, url: str, form: str, options: dict[str, str]) -> Input:
    return Input(name, url, form, options, "off", _REMEDY)


def _parse(spec: str) -> Region:
    address = LocalAddress.parse(spec, frozenset({"rate"}))
    match = _PLACE.fullmatch(address.place)
    rate = address.wishes.get("rate", "25")
    if match is None or not re.fullmatch(r"\d+(\.\d+)?", rate) or not 0 < float(rate) <= 240:
        raise SourceError(
            f"{spec!r} names no part of the screen.", "Write it as screen:0,0,1280x720?rate=25."
        )
    left, top, width, height = map(int, match.groups())
    if width < 2 or height < 2:
        raise SourceError(f"{width}x{height} is too small a part.", "Take a larger one.")
    return Region(left, top, width, height, rate)
