"""Video4Linux: a tree of files and answers of the kernel, byte by byte as the kernel lays them out.

No machine that runs these tests has a capture device, so the kernel's side is written out here.
"""

from __future__ import annotations

import errno
import struct
from pathlib import Path
from typing import TypeVar

import pytest

from engine.sources.v4l2 import CaptureDevice, Mode, list_devices

# From linux/videodev2.h, as a C compiler prints them on x86-64.
_QUERYCAP, _ENUM_FMT = 0x80685600, 0xC0405602
_ENUM_FRAMESIZES, _ENUM_FRAMEINTERVALS = 0xC02C564A, 0xC034564B
_LENGTHS = {_QUERYCAP: 104, _ENUM_FMT: 64, _ENUM_FRAMESIZES: 44, _ENUM_FRAMEINTERVALS: 52}
_MJPG, _YUYV = (int.from_bytes(letters, "little") for letters in (b"MJPG", b"YUYV"))
_SIZES = {_MJPG: [(1280, 720), (1920, 1080)], _YUYV: [(640, 480)]}
_INTERVALS = {_MJPG: [(1, 60), (1001, 30000)], _YUYV: [(1, 25)]}


T = TypeVar("T")


class Kernel:
    """Answers for a capture card; `capabilities` are those of the node."""

    def __init__(self, capabilities: int = 0x1, steps: bool = False) -> None:
        self._capabilities = capabilities
        self._steps = steps

    def __call__(self, descriptor: int, request: int, argument: bytearray) -> int:
        assert len(argument) == _LENGTHS[request]
        if request == _QUERYCAP:
            struct.pack_into("=II", argument, 84, 0x8000_0001, self._capabilities)
        elif request == _ENUM_FMT:
            index, kind = struct.unpack_from("=II", argument)
            assert kind == 1  # video capture
            struct.pack_into("=I", argument, 44, self._entry([_MJPG, _YUYV], index))
        elif request == _ENUM_FRAMESIZES:
            index, code = struct.unpack_from("=II", argument)
            if self._steps:
                struct.pack_into("=I6I", argument, 8, 3, 160, 1920, 16, 120, 1080, 8)
                return 0
            struct.pack_into("=I2I", argument, 8, 1, *self._entry(_SIZES[code], index))
        else:
            index, code, _, _ = struct.unpack_from("=IIII", argument)
            struct.pack_into("=I2I", argument, 16, 1, *self._entry(_INTERVALS[code], index))
        return 0

    @staticmethod
    def _entry(entries: list[T], index: int) -> T:
        if index >= len(entries):
            raise OSError(errno.EINVAL, "Invalid argument")
        return entries[index]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, title in (("video10", "Second card"), ("video2", "Capture 1: USB Video")):
        folder = tmp_path / "sys/class/video4linux" / name
        folder.mkdir(parents=True)
        (folder / "name").write_text(title + "\n")
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev" / name).touch()
    return tmp_path


def test_devices_are_listed_by_number_with_name_and_address(root: Path) -> None:
    found = [(device.name, device.address) for device in list_devices(root, Kernel())]
    assert found == [
        ("Capture 1: USB Video", "device:/dev/video2"),
        ("Second card", "device:/dev/video10"),
    ]


def test_formats_sizes_and_rates_are_told_largest_first(root: Path) -> None:
    first, *_ = list_devices(root, Kernel())
    assert [str(mode) for mode in first.modes] == [
        "mjpeg 1920x1080 at 60 29.97 Hz",
        "mjpeg 1280x720 at 60 29.97 Hz",
        "yuyv422 640x480 at 25 Hz",
    ]


def test_a_device_of_any_size_tells_its_largest(root: Path) -> None:
    first, *_ = list_devices(root, Kernel(steps=True))
    assert (first.modes[0].width, first.modes[0].height) == (1920, 1080)


def test_a_node_that_captures_no_video_is_left_out(root: Path) -> None:
    metadata_only = 0x0080_0000
    assert list_devices(root, Kernel(capabilities=metadata_only)) == []


def test_a_device_that_may_not_be_opened_is_listed_with_the_reason(root: Path) -> None:
    (root / "dev/video2").unlink()
    first, *_ = list_devices(root, Kernel())
    assert first == CaptureDevice(
        "device:/dev/video2", "Capture 1: USB Video", problem="No such file or directory"
    )


def test_a_device_that_does_not_answer_is_listed_with_the_reason(root: Path) -> None:
    def refuse(descriptor: int, request: int, argument: bytearray) -> int:
        raise OSError(errno.ENODEV, "No such device")

    first, *_ = list_devices(root, refuse)
    assert first.problem == "No such device"


def test_a_machine_without_devices_has_none(tmp_path: Path) -> None:
    assert list_devices(tmp_path, Kernel()) == []


def test_a_mode_without_rates_is_told_without() -> None:
    assert str(Mode("nv12", 640, 480)) == "nv12 640x480"
