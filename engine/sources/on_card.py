"""Decoded frames that stay in the card's memory, beside the picture that is brought here to show.

Which frames can: 8-bit NV12 of even size, upright, in the colours of BT.601 or BT.709. All others
take the way through main memory, as do all frames after the first that failed; that is told once.
"""

from __future__ import annotations

from typing import Any

from engine.card import CardPicture, Colours
from engine.types import Image

_BT601, _BT709 = (0.299, 0.114), (0.2126, 0.0722)
_SHARES = {1: _BT709, 2: _BT601, 5: _BT601, 6: _BT601}
"""Shares of red and blue in luma by FFmpeg's AVColorSpace; 2 is unknown, which swscale takes so."""
_FULL_RANGE = 2


class CardKeeper:
    """Keeps frames of one video on the card."""

    def __init__(self) -> None:
        self.note: str | None = None
        """Why it keeps none any more."""

    def __call__(self, raw: Any, image: Image) -> CardPicture | None:
        """What `raw`, an `av.VideoFrame`, holds on the card; None where it cannot be used there.

        Args:
            raw: as decoded.
            image: (H, W, 3), what `Frame.image` will be: already brought here, so complete.
        """
        if self.note is not None:
            return None
        problem = _problem(raw, image)
        if problem is None:
            try:
                return CardPicture.of(raw.planes[0], raw.planes[1], colours_of(raw))
            except (RuntimeError, BufferError, TypeError, ValueError) as error:
                problem = str(error).rstrip(".")
        self.note = f"The network gets its pictures through main memory: {problem}."
        return None


def colours_of(raw: Any) -> Colours:
    """Of an `av.VideoFrame` in one of the known colour spaces."""
    red, blue = _SHARES[int(raw.colorspace)]
    return Colours(red, blue, int(raw.color_range) == _FULL_RANGE)


def _problem(raw: Any, image: Image) -> str | None:
    """Why a frame cannot be used on the card."""
    pixels = (raw.sw_format or raw.format).name
    if pixels != "nv12":
        return f"the card decodes to {pixels}, not nv12"
    if raw.width % 2 or raw.height % 2:
        return f"{raw.width}x{raw.height} is odd"
    if round(raw.rotation) % 360 or image.shape[:2] != (raw.height, raw.width):
        return "the video is turned or scaled to be shown"
    if int(raw.colorspace) not in _SHARES:
        return f"its colour space, {int(raw.colorspace)}, is not known"
    return None
