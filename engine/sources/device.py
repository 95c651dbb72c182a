"""Capture devices: frame grabbers and cameras, by Video4Linux, DirectShow or AVFoundation.

`device:NAME?size=1920x1080&rate=60&format=mjpeg`. NAME is what `haustra devices` prints: a number,
a node such as /dev/video2, or the name of the device. What is not asked for is left to the device.

| system  | FFmpeg's reader | options                                                             |
|---------|-----------------|---------------------------------------------------------------------|
| Linux   | v4l2            | input_format, video_size, framerate; time stamps of the kernel      |
| Windows | dshow           | vcodec or pixel_format, video_size, framerate; a buffer of 64 MiB,  |
|         |                 | because 4K without compression overruns the default of 3 MB         |
| macOS   | avfoundation    | pixel_format, video_size, framerate                                 |
"""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

import av

from engine.errors import SourceError
from engine.sources.address import LocalAddress
from engine.sources.feed import AvFeed, Input
from engine.sources.live import Live
from engine.sources.v4l2 import CaptureDevice
from engine.sources.v4l2 import list_devices as list_v4l2

_WISHES = frozenset({"size", "rate", "format"})
_SHAPES = {"size": r"\d+x\d+", "rate": r"\d+(\.\d+)?", "format": r"[a-z0-9]+"}
_COMPRESSED = frozenset({"mjpeg", "h264", "hevc"})
_REMEDY = "See what there is: haustra devices. Is it plugged in, and not used by another program?"


def open_device(spec: str) -> Live:
    """Open a capture device by its address.

    Raises:
        SourceError: malformed, no such device, in use, or it cannot film as asked.
    """
    asked = device_input(spec)
    return Live(asked.name, partial(AvFeed, asked))


def device_input(spec: str, system: str = sys.platform) -> Input:
    """What FFmpeg is to open for `spec` on `system`.

    Raises:
        SourceError: malformed.
    """
    address = LocalAddress.parse(spec, _WISHES)
    if not address.place:
        raise SourceError(f"{spec!r} names no device.", "Take one from: haustra devices")
    for wish, value in address.wishes.items():
        if not re.fullmatch(_SHAPES[wish], value):
            raise SourceError(
                f"{wish}={value} in {spec!r} cannot be read.",
                "Write it as ?size=1920x1080&rate=60&format=mjpeg.",
            )
    options: dict[str, str] = {}
    if "size" in address.wishes:
        options["video_size"] = address.wishes["size"]
    if "rate" in address.wishes:
        options["framerate"] = address.wishes["rate"]
    form = address.wishes.get("format")
    url, reader = address.place, "v4l2"
    if system == "win32":
        url, reader = f"video={address.place}", "dshow"
        options["rtbufsize"] = str(64 << 20)
        form_option = "vcodec" if form in _COMPRESSED else "pixel_format"
    elif system == "darwin":
        url, reader, form_option = f"{address.place}:none", "avfoundation", "pixel_format"
    else:
        url, form_option = _node(address.place), "input_format"
    if form is not None:
        options[form_option] = form
    return Input(address.place, url, reader, options, remedy=_REMEDY)


def list_devices(system: str = sys.platform) -> list[CaptureDevice]:
    """Every capture device of this machine.

    Formats and sizes are known on Linux only: the readers of Windows and macOS tell FFmpeg names.

    Raises:
        SourceError: this build of FFmpeg has no reader for them.
    """
    if system.startswith("linux"):
        return list_v4l2()
    reader = "dshow" if system == "win32" else "avfoundation"
    try:
        found = av.enumerate_input_devices(reader)
    except (ValueError, av.FFmpegError, OSError) as error:
        raise SourceError(
            f"Capture devices cannot be listed ({error}).", "Install the av wheel from PyPI."
        ) from error
    return [
        CaptureDevice(f"device:{_place(device, system)}", device.description or device.name)
        for device in found
        if not device.media_types or "video" in device.media_types
    ]


def _place(device: av.DeviceInfo, system: str) -> str:
    """What opens a device: DirectShow goes by description, AVFoundation by number."""
    return device.description if system == "win32" else device.name


def _node(place: str) -> str:
    """The node of a Video4Linux device named by number, node or name."""
    if place.isdecimal():
        return f"/dev/video{place}"
    if place.startswith("/"):
        return place
    nodes = [device.address for device in list_v4l2() if device.name == place]
    return nodes[0].partition(":")[2] if nodes else str(Path("/dev") / place)
