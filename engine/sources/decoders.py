"""Which video formats this installation can decode, and with which hardware it might."""

from __future__ import annotations

from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.hwaccel import hwdevices_available

FORMATS = ("h264", "hevc", "av1", "vp9", "mpeg2video", "mpeg4", "mjpeg", "prores", "dvvideo")
"""What endoscopy recorders, editors and archives write, by FFmpeg's names."""


def has_decoder(name: str) -> bool:
    """Whether a decoder of this FFmpeg name is built in."""
    try:
        Codec(name, "r")
    except UnknownCodecError:
        return False
    return True


def decodable_formats() -> tuple[str, ...]:
    """Those of `FORMATS` that can be decoded here."""
    return tuple(name for name in FORMATS if has_decoder(name))


def hardware_kinds() -> tuple[str, ...]:
    """Hardware decoders this build of FFmpeg *knows*; whether one works shows when it is opened."""
    return tuple(hwdevices_available())
