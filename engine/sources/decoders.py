"""What decodes here: formats, hardware that really works, and a container opened with either.

FFmpeg knows hardware that the machine does not have. Whether a kind works shows only when a device
of that kind is opened, and whether it decodes a given video only in the first picture. So both are
looked at, and what is shown to the user is what was found. Hardware may also give up later, when
its memory is full or its driver restarts; then software goes on, once.

Decoded pictures are brought to main memory, to be shown. Where torch can work on the card that
decodes (`keeping_problem`), they stay there, too, for the network: see `engine.sources.on_card`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.codec.hwaccel import HWAccel, HWDeviceType, hwdevices_available

from engine.card import card_problem
from engine.errors import SourceError
from engine.sources import AUTO

FORMATS = ("h264", "hevc", "av1", "vp9", "mpeg2video", "mpeg4", "mjpeg", "prores", "dvvideo")
"""What endoscopy recorders, editors and archives write, by FFmpeg's names."""
HARDWARE = ("cuda", "d3d11va", "videotoolbox", "vaapi")
"""Kinds of hardware that Haustra uses, best first. Never more than one or two exist together."""
OFF = "off"
CHOICES = (AUTO, OFF, *HARDWARE)

_ON_CARD_FORMATS = frozenset({"nv12", "p010le", "p016le", "p012le", "cuda"})
"""How pictures look that come from a card, `cuda` those that stay there. FFmpeg's software
decoders never write these."""
_KEEPS = "cuda"
"""The kind of hardware whose pictures can stay where they are."""
_LARGE_PIXELS = 1280 * 1024
_FAILURES = 8
"""Where so many packets in a row fail, a key frame among them, it is not the video."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """What decodes one video."""

    codec: str = ""
    hardware: str | None = None
    """Kind of hardware; None is software."""
    threads: int = 1
    notice: str | None = None
    """Why it is not what was asked for."""
    is_kept: bool = False
    """Pictures stay in the card's memory, too."""

    @property
    def description(self) -> str:
        """For people: "h264 (software, 1 thread)"."""
        by = self.hardware or f"software, {self.threads} thread{'s' if self.threads != 1 else ''}"
        return f"{self.codec} ({by}{', kept on the card' if self.is_kept else ''})"

    def verified(self, codec_context: Any, first: Any) -> Decoding:
        """The same, corrected by the decoder's state and its first `av.VideoFrame`."""
        found = replace(self, codec=codec_context.name, threads=codec_context.thread_count)
        is_on_card = codec_context.is_hwaccel and first.format.name in _ON_CARD_FORMATS
        if self.hardware is None or is_on_card:
            return found
        return replace(
            found,
            hardware=None,
            is_kept=False,
            notice=f"{self.hardware} cannot decode this {codec_context.name} video; "
            "software decodes it.",
        )

    def replaced(self, codec_context: Any) -> Decoding:
        """What decodes after the hardware has failed: software, in the given state."""
        return Decoding(
            codec_context.name,
            threads=codec_context.thread_count,
            notice=f"{self.hardware} does not decode any more; software decodes.",
        )


@dataclass(slots=True)
class Trial:
    """Tells a damaged video from hardware that does not decode any more."""

    failed: int = 0
    """Packets in a row."""
    has_key: bool = False
    """A key frame is among them, which needs no other picture."""

    def passed(self) -> None:
        """A picture came."""
        self.failed, self.has_key = 0, False

    def is_lost(self, packet: Any) -> bool:
        """Count a packet that did not decode; whether the hardware is to blame by now."""
        self.failed += 1
        self.has_key |= packet.is_keyframe
        return self.has_key and self.failed >= _FAILURES


def open_container(
    url: str, choice: str = AUTO, *, timeout: tuple[float, float] | None = None, **arguments: Any
) -> tuple[Any, Decoding]:
    """Open `url` for reading, decoded by `choice`: `AUTO`, `OFF` or one of `HARDWARE`.

    Hardware that is absent or fails is replaced by software, once. Where hardware was named, or
    seemed to work, `Decoding.notice` says so.

    Raises:
        SourceError: `choice` is none of these.
        av.FFmpegError, OSError: the input cannot be opened, by software either.
    """
    if choice not in CHOICES:
        raise SourceError(
            f"There is no kind of decoder called {choice}.", f"Choose {', '.join(CHOICES)}."
        )
    kind, notice = _choose_hardware(choice)
    for is_kept in _ways(kind):
        owned: dict[str, Any] = {"is_hw_owned": True} if is_kept else {}
        try:
            accelerator = HWAccel(str(kind), allow_software_fallback=True, **owned)
            container = av.open(url, timeout=timeout, hwaccel=accelerator, **arguments)
            return container, Decoding(hardware=kind, is_kept=is_kept, notice=notice)
        except (av.FFmpegError, OSError, RuntimeError) as error:
            done = "keeps no pictures" if is_kept else "does not decode"
            rest = "they go through main memory" if is_kept else "software decodes"
            notice = f"{kind} {done} ({_reason(error)}); {rest}."
    return av.open(url, timeout=timeout, **arguments), Decoding(notice=notice)


def choose_threads(stream: Any, *, is_live: bool = False) -> None:
    """Large pictures need all cores; small ones decode faster than they are analysed.

    A second thread would only take a core from the analysis. Threads by frame hold as many frames
    back, which a live picture cannot afford.
    """
    context = stream.codec_context
    if is_live:
        # Hand pictures out once decoded, instead of holding some back to be sure of their order.
        context.flags |= Flags.low_delay
    is_large = context.width * context.height > _LARGE_PIXELS
    stream.thread_type = "AUTO" if is_large and not is_live else "SLICE"
    context.thread_count = min(4, os.cpu_count() or 1) if is_large else 1


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
    """Those of `HARDWARE` that this build of FFmpeg *knows*."""
    known = hwdevices_available()
    return tuple(kind for kind in HARDWARE if kind in known)


@cache
def hardware_problem(kind: str) -> str | None:
    """Why hardware of this kind cannot be used, None where a device of it opens. Looks once."""
    if kind not in hardware_kinds():
        return "this build of FFmpeg does not know it"
    try:
        # Devices do not depend on the format; every kind of hardware decodes H.264.
        HWAccel(HWDeviceType[kind]).create(Codec("h264", "r"))
    except (av.FFmpegError, OSError, NotImplementedError, RuntimeError) as error:
        return _reason(error)
    return None


def keeping_problem() -> str | None:
    """Why pictures that a CUDA card decodes cannot stay there for the network, None: they can."""
    if not hasattr(av.VideoFrame, "sw_format"):
        return f"PyAV {av.__version__} is too old"
    return card_problem()


def _ways(kind: str | None) -> tuple[bool, ...]:
    """Whether pictures are to stay on hardware of this kind: what to try, one after the other."""
    if kind is None:
        return ()
    return (True, False) if kind == _KEEPS and keeping_problem() is None else (False,)


def _choose_hardware(choice: str) -> tuple[str | None, str | None]:
    """The kind to try, and what to say where there is none."""
    if choice == OFF:
        return None, None
    if choice == AUTO:
        working = (kind for kind in hardware_kinds() if hardware_problem(kind) is None)
        return next(working, None), None
    problem = hardware_problem(choice)
    if problem is None:
        return choice, None
    return None, f"{choice} cannot decode here ({problem}); software decodes."


def _reason(error: Exception) -> str:
    if isinstance(error, PermissionError):
        return "no such device, or no driver for it"
    return str(getattr(error, "strerror", None) or error)
