"""Real files on disk, good, odd and bad, each written by the function of its name."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

_FRAMES = 12


def _write(
    path: Path,
    size: tuple[int, int] = (160, 120),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    pts: range | list[int] = range(_FRAMES),
) -> Path:
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.time_base = Fraction(1, 25)
        if codec == "libx264":
            stream.options = {"preset": "ultrafast", "bf": "2"}
        container.start_encoding()
        for number, stamp in enumerate(pts):
            image = np.full((height, width, 3), 20 * number % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = stamp, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def empty_folder(folder: Path) -> Path:
    path = folder / "empty"
    path.mkdir()
    return path


def text_named_mp4(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("This is not a video.\n" * 40)
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def truncated(folder: Path) -> Path:
    whole = _write(folder / "whole.mp4").read_bytes()
    path = folder / "truncated.mp4"
    path.write_bytes(whole[: len(whole) // 2])
    return path


def audio_only(folder: Path) -> Path:
    path = folder / "audio.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def zero_frames(folder: Path) -> Path:
    return _write(folder / "zero.mkv", pts=[])


def odd_size(folder: Path) -> Path:
    return _write(folder / "odd.mp4", (641, 479), pixels="yuv444p")


def one_pixel(folder: Path) -> Path:
    return _write(folder / "one.mkv", (1, 1), codec="ffv1", pixels="yuv444p")


def four_k(folder: Path) -> Path:
    return _write(folder / "4k.mp4", (3840, 2160), pts=range(2))


def variable_rate(folder: Path) -> Path:
    return _write(folder / "variable.mp4", pts=[0, 1, 5, 6, 7, 12])


def grey(folder: Path) -> Path:
    return _write(folder / "grey.mkv", codec="ffv1", pixels="gray")


def ten_bit(folder: Path) -> Path:
    return _write(folder / "ten.mkv", codec="ffv1", pixels="yuv420p10le")


def stills(folder: Path) -> Path:
    path = folder / "stills"
    path.mkdir()
    for number in range(3):
        cv2.imwrite(str(path / f"{number}.png"), np.full((90, 120, 3), 60 * number, np.uint8))
    return path


UNUSABLE: tuple[Callable[[Path], Path], ...] = (
    missing,
    empty_folder,
    text_named_mp4,
    empty_file,
    truncated,
    audio_only,
    zero_frames,
)
ODD: tuple[Callable[[Path], Path], ...] = (
    odd_size,
    one_pixel,
    four_k,
    variable_rate,
    grey,
    ten_bit,
    stills,
)
