"""A moving picture that looks roughly like an endoscope's, with its frame number burnt in.

The number is written as a row of black and white cells along the bottom edge: two marker cells,
20 bits, 6 check bits, two marker cells. The cells are large and far apart in brightness, so the
code survives video compression; the check bits tell a damaged code from another number.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import SourceError
from engine.sources import SourceInfo
from engine.types import Frame, Image, read_only

_BITS = 20
_CHECK_BITS = 6
_HEAD = (1, 0)
_TAIL = (0, 1)
_CELLS = len(_HEAD) + _BITS + _CHECK_BITS + len(_TAIL)
_MINIMUM_WIDTH, _MINIMUM_HEIGHT = 128, 32
_SPEC = re.compile(
    r"pattern:(?P<width>\d+)x(?P<height>\d+)(?:@(?P<rate>\d+(?:\.\d+)?))?(?:,frames=(?P<frames>\d+))?"
)


@dataclass(frozen=True, slots=True)
class PatternSpec:
    """Size in pixels, pace and length of a pattern."""

    width: int
    height: int
    rate: Fraction
    frames: int

    @classmethod
    def parse(cls, text: str) -> PatternSpec:
        """Read `pattern:1280x720@50,frames=500`; rate and length may be left out.

        Raises:
            SourceError: malformed, or too small to carry the code.
        """
        match = _SPEC.fullmatch(text)
        if match is None:
            raise SourceError(
                f"{text!r} does not describe a pattern.",
                "Write it as pattern:1280x720@50,frames=500.",
            )
        spec = cls(
            int(match["width"]),
            int(match["height"]),
            Fraction(match["rate"] or "50"),
            int(match["frames"] or 500),
        )
        if spec.width < _MINIMUM_WIDTH or spec.height < _MINIMUM_HEIGHT:
            raise SourceError(
                f"A pattern of {spec.width}x{spec.height} has no room for its frame code.",
                f"Use at least {_MINIMUM_WIDTH}x{_MINIMUM_HEIGHT}.",
            )
        if spec.width > 8192 or spec.height > 8192:
            raise SourceError(f"A pattern of {spec.width}x{spec.height} is too large.", "Use 8K.")
        if spec.rate <= 0 or not 1 <= spec.frames <= 1 << _BITS:
            raise SourceError(
                f"{text!r} has no usable frame rate or length.",
                f"The rate is above 0, the length 1 to {1 << _BITS} frames.",
            )
        return spec


class Pattern:
    """`pattern:WIDTHxHEIGHT@RATE,frames=N`: a lumen that drifts and turns, N frames long."""

    def __init__(self, spec: str) -> None:
        self._spec = PatternSpec.parse(spec)
        self._next = 0
        self._wall = _wall(self._spec.width, self._spec.height)

    @property
    def info(self) -> SourceInfo:
        """What is known about this source."""
        spec = self._spec
        return SourceInfo(
            name=f"pattern {spec.width}x{spec.height}",
            width=spec.width,
            height=spec.height,
            duration_s=float(spec.frames / spec.rate),
            frame_rate_hz=float(spec.rate),
            frame_count=spec.frames,
            is_live=False,
            decoder="none (drawn)",
            time_base=1 / spec.rate,
        )

    @property
    def note(self) -> str | None:
        """Nothing ever goes wrong with a pattern."""
        return None

    def read(self) -> Frame | None:
        """The next frame, None at the end."""
        if self._next >= self._spec.frames:
            return None
        index = self._next
        self._next += 1
        pts_s = float(index / self._spec.rate)
        return Frame(index, pts_s, time.monotonic(), read_only(self.draw(index)))

    def seek(self, pts_s: float) -> None:
        """Make the next `read` return the frame shown at `pts_s`."""
        index = int(np.floor(pts_s * float(self._spec.rate) + 1e-3))
        self._next = min(max(index, 0), self._spec.frames - 1)

    def close(self) -> None:
        """Nothing to let go of."""

    def draw(self, index: int) -> Image:
        """(H, W, 3) picture number `index`, code included."""
        width, height = self._spec.width, self._spec.height
        angle = index * 0.5
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
        turn[0, 2] += 0.05 * width * np.sin(index / 25)
        turn[1, 2] += 0.05 * height * np.cos(index / 31)
        image: Image = np.empty((height, width, 3), np.uint8)
        cv2.warpAffine(self._wall, turn, (width, height), dst=image, flags=cv2.INTER_LINEAR)
        write_code(image, index)
        return image


def _wall(width: int, height: int) -> Image:
    """(H, W, 3) reddish tube seen along its axis, darker towards the lumen, with ring folds."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    across = (columns - width / 2) / (height / 2)
    down = (rows - height / 2) / (height / 2)
    radius = np.hypot(across, down)
    folds = np.sin(18 * np.sqrt(radius + 0.02) + 0.6 * np.cos(3 * np.arctan2(down, across)))
    light = np.clip(0.15 + 0.75 * radius + 0.15 * folds, 0.0, 1.0) * (radius < 0.98)
    colour = np.array([225.0, 130.0, 105.0], np.float32)
    return np.asarray(light[..., None] * colour, np.uint8)


def write_code(image: Image, number: int) -> None:
    """Burn `number` (below 2**20) into the bottom edge of a writable (H, W, 3) image."""
    if not 0 <= number < 1 << _BITS:
        raise ValueError(f"{number} does not fit the frame code")
    top, left, cell = _geometry(image)
    image[top - cell // 2 :, : left + _CELLS * cell + cell // 2] = 16
    for position, bit in enumerate(_cells(number)):
        x = left + position * cell
        image[top : top + cell, x : x + cell] = 235 if bit else 16


def read_code(image: NDArray[np.uint8]) -> int | None:
    """The number burnt into an (H, W, 3) image, None where there is no (readable) code."""
    if image.shape[1] < _MINIMUM_WIDTH or image.shape[0] < _MINIMUM_HEIGHT:
        return None
    top, left, cell = _geometry(image)
    margin = cell // 4
    # The code is grey and its cells are even: one channel and every other row are plenty.
    strip = image[top + margin : top + cell - margin : 2, left : left + _CELLS * cell, 1]
    columns = strip.mean(axis=0).reshape(_CELLS, cell)
    cells: NDArray[np.float64] = columns[:, margin : cell - margin].mean(axis=1)
    if np.any(np.abs(cells - 125.5) < 40):
        return None
    bits = [int(value > 125.5) for value in cells]
    start = len(_HEAD)
    number = int("".join(map(str, bits[start : start + _BITS])), 2)
    return number if tuple(bits) == _cells(number) else None


def _geometry(image: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Top row, left column and edge of the cells, pixels."""
    height, width = image.shape[:2]
    cell = max(4, min(width // (_CELLS + 2), height // 8, 24))
    return height - cell - cell // 2, cell // 2, cell


def _cells(number: int) -> tuple[int, ...]:
    check = (number * 37 + (number >> 6) * 11 + (number >> 12) * 5 + 21) % (1 << _CHECK_BITS)
    word = number << _CHECK_BITS | check
    bits = tuple(int(bit) for bit in f"{word:0{_BITS + _CHECK_BITS}b}")
    return (*_HEAD, *bits, *_TAIL)
