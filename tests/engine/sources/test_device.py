"""How capture devices are opened on each system. No test machine has one: see test_v4l2."""

from __future__ import annotations

import pytest

from engine.errors import SourceError
from engine.sources.device import device_input, list_devices, open_device

_FULL = "?size=1920x1080&rate=60&format=mjpeg"


def test_linux_opens_a_node_by_video4linux() -> None:
    asked = device_input("device:/dev/video2" + _FULL, "linux")
    assert (asked.format, asked.url) == ("v4l2", "/dev/video2")
    wanted = {"video_size": "1920x1080", "framerate": "60", "input_format": "mjpeg"}
    assert wanted.items() <= asked.options.items()


def test_linux_takes_a_number_for_a_node() -> None:
    assert device_input("device:3", "linux").url == "/dev/video3"


def test_windows_opens_a_name_by_directshow() -> None:
    asked = device_input("device:USB Capture" + _FULL, "win32")
    assert (asked.format, asked.url) == ("dshow", "video=USB Capture")
    assert asked.options["vcodec"] == "mjpeg"


def test_windows_tells_pixels_from_compressed_pictures() -> None:
    assert device_input("device:X?format=nv12", "win32").options["pixel_format"] == "nv12"


def test_macos_opens_a_number_by_avfoundation_without_sound() -> None:
    asked = device_input("device:0?rate=30", "darwin")
    assert (asked.format, asked.url, asked.options["framerate"]) == ("avfoundation", "0:none", "30")


def test_what_is_not_asked_for_is_left_to_the_device() -> None:
    assert not {"video_size", "framerate", "input_format"} & set(device_input("device:0").options)


@pytest.mark.parametrize(
    "spec", ["device:", "device:0?size=big", "device:0?rate=fast", "device:0?zoom=2"]
)
def test_an_address_that_makes_no_sense_is_refused(spec: str) -> None:
    with pytest.raises(SourceError):
        device_input(spec)


def test_a_device_that_is_not_there_is_told_with_the_verb_that_lists() -> None:
    with pytest.raises(SourceError, match="haustra devices"):
        open_device("device:/dev/video99")


def test_a_build_without_a_reader_for_this_system_says_so() -> None:
    with pytest.raises(SourceError, match="cannot be listed"):
        list_devices("win32")
