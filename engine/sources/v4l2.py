"""Capture devices on Linux, asked by Video4Linux's own calls: names, formats, sizes, rates.

Layouts are those of `linux/videodev2.h`, the same on every 64-bit system. Devices are found in
/sys/class/video4linux, which needs no rights; their formats are asked of /dev/videoN.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

Ioctl = Callable[[int, int, bytearray], object]
"""File descriptor, request, argument that is read and filled in. Raises OSError."""

_CAPTURE = 0x1
_DEVICE_CAPABILITIES = 0x8000_0000
_DISCRETE = 1
_CAPABILITIES = struct.Struct("=16s32s32sIII12x")
_FORMAT = struct.Struct("=III32sI16x")
_SIZE = struct.Struct("=III24x8x")
_INTERVAL = struct.Struct("=IIIII24x8x")


def _read_write(number: int, layout: struct.Struct) -> int:
    return 3 << 30 | layout.size << 16 | ord("V") << 8 | number


QUERY_CAPABILITIES = 2 << 30 | _CAPABILITIES.size << 16 | ord("V") << 8
LIST_FORMATS = _read_write(2, _FORMAT)
LIST_SIZES = _read_write(74, _SIZE)
LIST_INTERVALS = _read_write(75, _INTERVAL)

FORMAT_NAMES = {"MJPG": "mjpeg", "JPEG": "mjpeg", "YUYV": "yuyv422", "UYVY": "uyvy422"}
"""Video4Linux's four letters → FFmpeg's name; others are written in small letters (NV12, H264)."""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to film."""

    format: str
    width: int
    height: int
    rates_hz: tuple[float, ...] = ()
    """Highest first; empty where the device does not say."""

    def __str__(self) -> str:
        rates = " ".join(f"{rate:g}" for rate in self.rates_hz)
        return f"{self.format} {self.width}x{self.height}" + (f" at {rates} Hz" if rates else "")


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """Something that films."""

    address: str
    """Opens it: `device:/dev/video0`."""
    name: str
    modes: tuple[Mode, ...] = ()
    problem: str | None = None
    """Why its modes are not known."""

    def address_in(self, mode: Mode) -> str:
        """Opens it in one of its modes, at the highest rate."""
        rate = f"&rate={mode.rates_hz[0]:g}" if mode.rates_hz else ""
        return f"{self.address}?size={mode.width}x{mode.height}{rate}&format={mode.format}"


def _system_ioctl(descriptor: int, request: int, argument: bytearray) -> object:
    if sys.platform == "win32":
        raise OSError("there is no Video4Linux on this system")
    import fcntl

    return fcntl.ioctl(descriptor, request, argument)


def list_devices(root: Path = Path("/"), ioctl: Ioctl = _system_ioctl) -> list[CaptureDevice]:
    """Everything below `root` that captures video, by number."""
    found = []
    for entry in sorted((root / "sys/class/video4linux").glob("video*"), key=_number):
        name = (entry / "name").read_text(encoding="utf-8", errors="replace").strip()
        address = f"device:/dev/{entry.name}"
        try:
            descriptor = os.open(root / "dev" / entry.name, os.O_RDWR)
        except OSError as error:
            found.append(CaptureDevice(address, name, problem=error.strerror))
            continue
        try:
            if _captures(descriptor, ioctl):
                found.append(CaptureDevice(address, name, tuple(_modes(descriptor, ioctl))))
        except OSError as error:
            found.append(CaptureDevice(address, name, problem=error.strerror))
        finally:
            os.close(descriptor)
    return found


def _number(entry: Path) -> int:
    digits = entry.name.removeprefix("video")
    return int(digits) if digits.isdecimal() else sys.maxsize


def _captures(descriptor: int, ioctl: Ioctl) -> bool:
    """Many cameras have a second node that carries data about pictures, and no pictures."""
    answer = bytearray(_CAPABILITIES.size)
    ioctl(descriptor, QUERY_CAPABILITIES, answer)
    *_, capabilities, of_node = _CAPABILITIES.unpack(answer)
    return bool((of_node if capabilities & _DEVICE_CAPABILITIES else capabilities) & _CAPTURE)


def _modes(descriptor: int, ioctl: Ioctl) -> Iterator[Mode]:
    """All discrete modes, largest first within each format."""
    for index in range(64):
        asked = bytearray(_FORMAT.pack(index, 1, 0, b"", 0))
        if not _answers(descriptor, LIST_FORMATS, asked, ioctl):
            return
        code = _FORMAT.unpack(asked)[4]
        letters = struct.pack("=I", code).decode("ascii", "replace").strip("\0 ")
        name = FORMAT_NAMES.get(letters, letters.lower())
        sizes = sorted(_sizes(descriptor, code, ioctl), reverse=True)
        for width, height in sizes:
            rates = tuple(_rates_hz(descriptor, (code, width, height), ioctl))
            yield Mode(name, width, height, rates)


def _sizes(descriptor: int, code: int, ioctl: Ioctl) -> Iterator[tuple[int, int]]:
    for index in range(256):
        asked = bytearray(_SIZE.size)
        struct.pack_into("=II", asked, 0, index, code)
        if not _answers(descriptor, LIST_SIZES, asked, ioctl):
            return
        kind, *numbers = struct.unpack_from("=I6I", asked, 8)
        # A device without fixed sizes states a range: least, largest, step for width and height.
        yield (numbers[0], numbers[1]) if kind == _DISCRETE else (numbers[1], numbers[4])
        if kind != _DISCRETE:
            return


def _rates_hz(descriptor: int, mode: tuple[int, int, int], ioctl: Ioctl) -> Iterator[float]:
    for index in range(64):
        asked = bytearray(_INTERVAL.size)
        struct.pack_into("=IIII", asked, 0, index, *mode)
        if not _answers(descriptor, LIST_INTERVALS, asked, ioctl):
            return
        kind, numerator, denominator = struct.unpack_from("=III", asked, 16)
        if numerator:
            yield float(Fraction(denominator, numerator))
        if kind != _DISCRETE:
            return


def _answers(descriptor: int, request: int, argument: bytearray, ioctl: Ioctl) -> bool:
    """False where there is no such entry: the list has ended."""
    try:
        ioctl(descriptor, request, argument)
    except OSError:
        return False
    return True
