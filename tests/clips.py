"""Real video and picture files for tests, written when needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.sources.pattern import write_code
from engine.types import Image


@dataclass(frozen=True)
class Clip:
    """What to encode. Every picture carries its number where there is room for it."""

    size: tuple[int, int] = (160, 120)
    codec: str = "libx264"
    pixels: str = "yuv420p"
    ticks: Sequence[int] = range(24)
    """Time stamps in units of `time_base`."""
    time_base: Fraction = Fraction(1, 25)
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)
    rotation: int | None = None
    """Degrees counter-clockwise that a player turns the picture by."""


def picture(number: int, size: tuple[int, int] = (160, 120)) -> Image:
    """(H, W, 3) grey ramp, red in the upper left quarter, with its number if it fits."""
    width, height = size
    ramp = np.linspace(40, 200, width, dtype=np.float32).astype(np.uint8)
    image = np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2)
    image[: height // 2, : width // 2] = (200, 30, 30)
    if width >= 128 and height >= 32:
        write_code(image, number)
    return image


def write_clip(path: Path, clip: Clip, draw: Callable[[int], Image] | None = None) -> Path:
    """Encode `clip` to `path`."""
    with av.open(str(path), "w", container_options=clip.muxer) as container:
        rate = Fraction(round(1 / clip.time_base)) if clip.time_base < 1 else Fraction(25)
        rate = min(rate, Fraction(50))
        preset = {"preset": "ultrafast"} if clip.codec == "libx264" else {}
        stream = container.add_stream(clip.codec, rate=rate, options={**preset, **clip.options})
        stream.width, stream.height = clip.size
        stream.pix_fmt = clip.pixels
        stream.time_base = stream.codec_context.time_base = clip.time_base
        if clip.rotation is not None:
            stream.set_display_rotation(clip.rotation)
        container.start_encoding()
        for number, tick in enumerate(clip.ticks):
            image = draw(number) if draw else picture(number, clip.size)
            frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=clip.pixels)
            frame.pts, frame.time_base = tick, clip.time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """A file with one second of silence and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        for start in range(0, 44032, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 44100, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


B_FRAMES = Clip(options={"preset": "medium", "bf": "3", "g": "12"})
OPEN_GOP = Clip(options={"preset": "medium", "bf": "3", "g": "8", "x264-params": "open-gop=1"})
UNEVEN_TICKS = (0, 40, 50, 120, 121, 300, 333, 334, 500, 620, 640, 700)
UNEVEN = Clip(ticks=UNEVEN_TICKS, time_base=Fraction(1, 1000), options={"bf": "0"})
LATE_START = Clip(ticks=range(50, 74), options={"preset": "medium", "bf": "2", "g": "10"})
EDIT_LIST = Clip(ticks=range(-5, 19), options={"preset": "medium", "bf": "2", "g": "10"})
"""Its first five pictures lie before zero; a player does not show them."""
TEN_BIT = Clip(pixels="yuv420p10le")
GREY = Clip(pixels="gray")
ODD = Clip(size=(641, 479), pixels="yuv444p", ticks=range(3))
ONE_PIXEL = Clip(size=(1, 1), codec="ffv1", pixels="yuv444p", ticks=range(3))
FOUR_K = Clip(size=(3840, 2160), ticks=range(2))
FAST_START = {"movflags": "faststart"}
