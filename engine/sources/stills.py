"""A folder, a glob or a single picture, read as a sequence in natural order.

All frames of a sequence have the size of the first readable picture, because a video, a track
and a table of contours need one coordinate system. A picture of another size is not refused (a
folder with one odd screenshot should still open) but scaled to fit, centred on black, and named
in `note`. Pictures that cannot be read are skipped, keep their place in time, and are named too.
Transparency is ignored; 16 bits a channel are reduced to 8; float pictures are not supported.
"""

from __future__ import annotations

import re
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import SourceError, SourceNotFoundError
from engine.sources import PICTURE_SUFFIXES, SourceInfo
from engine.types import Frame, Image, read_only

DEFAULT_RATE_HZ = 25.0


class Stills:
    """Pictures as a sequence.

    Args:
        path: a folder, a glob whose last part has wildcards, or one picture.
        frame_rate_hz: pictures a second.

    Raises:
        SourceNotFoundError: nothing has that name.
        SourceError: there is no picture that can be read, or no such pace.
    """

    def __init__(self, path: Path, frame_rate_hz: float = DEFAULT_RATE_HZ) -> None:
        if not 0 < frame_rate_hz <= 1000:
            raise SourceError(
                f"{frame_rate_hz:g} pictures a second is not a pace.", "Use 0.1 to 1000."
            )
        self._files = find_pictures(path)
        self._rate = Fraction(frame_rate_hz).limit_denominator(1001)
        self._next = 0
        self._unreadable: set[str] = set()
        self._resized: set[str] = set()
        self._size = (0, 0)
        first = self._first_readable()
        self._size = (first.shape[1], first.shape[0])
        self._name = path.name or str(path)

    @property
    def info(self) -> SourceInfo:
        """What is known about this source."""
        return SourceInfo(
            name=self._name,
            width=self._size[0],
            height=self._size[1],
            duration_s=float(len(self._files) / self._rate),
            frame_rate_hz=float(self._rate),
            frame_count=len(self._files),
            is_live=False,
            decoder="pictures (software)",
            time_base=1 / self._rate,
        )

    @property
    def note(self) -> str | None:
        """Which pictures were skipped or scaled so far."""
        parts = []
        if self._unreadable:
            parts.append(f"Could not be read and were left out: {_names(self._unreadable)}.")
        if self._resized:
            width, height = self._size
            parts.append(f"Scaled to fit {width}x{height}: {_names(self._resized)}.")
        return " ".join(parts) or None

    def read(self) -> Frame | None:
        """The next readable picture, None at the end."""
        while self._next < len(self._files):
            index = self._next
            self._next += 1
            image = self._load(self._files[index])
            if image is not None:
                pts_s = float(index / self._rate)
                return Frame(index, pts_s, time.monotonic(), read_only(image))
        return None

    def seek(self, pts_s: float) -> None:
        """Make the next `read` return the picture shown at `pts_s`."""
        index = int(np.floor(pts_s * float(self._rate) + 1e-3))
        index = min(max(index, 0), len(self._files) - 1)
        # A picture that cannot be read leaves the one before it on the screen.
        while index > 0 and self._load(self._files[index]) is None:
            index -= 1
        self._next = index

    def close(self) -> None:
        """Nothing stays open between pictures."""

    def _first_readable(self) -> Image:
        for index, file in enumerate(self._files):
            image = self._load(file)
            if image is not None:
                self._next = index
                return image
        raise SourceError(
            f"None of the {len(self._files)} pictures in {self._files[0].parent} can be read.",
            "Check that they open in another program.",
        )

    def _load(self, file: Path) -> Image | None:
        image = read_picture(file)
        if image is None:
            self._unreadable.add(file.name)
            return None
        if self._size != (0, 0) and (image.shape[1], image.shape[0]) != self._size:
            self._resized.add(file.name)
            return _letterbox(image, self._size)
        return image


def find_pictures(path: Path) -> list[Path]:
    """The pictures that `path` (folder, glob, or file) names, `frame2` before `frame10`.

    Raises:
        SourceNotFoundError: nothing has that name.
        SourceError: no pictures among what has that name.
    """
    if path.is_file():
        return [path]
    is_folder = path.is_dir()
    if not is_folder and not path.parent.is_dir():
        raise SourceNotFoundError(f"There is no folder {path.parent}.", "Check the spelling.")
    try:
        candidates = path.iterdir() if is_folder else path.parent.glob(path.name)
        files = [file for file in candidates if file.suffix.lower() in PICTURE_SUFFIXES]
    except (OSError, ValueError) as error:
        raise SourceError(f"{path} cannot be listed: {error}.", "Check its permissions.") from error
    files = [file for file in files if not file.name.startswith(".") and file.is_file()]
    if not files:
        raise SourceError(
            f"There are no pictures in {path}." if is_folder else f"No picture matches {path}.",
            "Pictures end in " + ", ".join(sorted(PICTURE_SUFFIXES)) + ".",
        )
    return sorted(files, key=_natural_key)


def read_picture(file: Path) -> Image | None:
    """(H, W, 3) RGB, turned upright by its EXIF tag; None if it cannot be read."""
    try:
        data = np.fromfile(file, np.uint8)
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except (OSError, cv2.error):
        return None
    if decoded is None or decoded.size == 0:
        return None
    image = _to_8_bit(decoded)
    return None if image is None else cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8)


def _to_8_bit(image: NDArray[Any]) -> NDArray[np.uint8] | None:
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return None


def _letterbox(image: Image, size: tuple[int, int]) -> Image:
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    box: Image = np.zeros((height, width, 3), np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    box[y : y + inner[1], x : x + inner[0]] = cv2.resize(image, inner, interpolation=method)
    return box


def _natural_key(file: Path) -> list[tuple[int, int, str]]:
    parts = re.split(r"(\d+)", file.name.lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def _names(names: set[str], most: int = 3) -> str:
    shown = ", ".join(sorted(names)[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
