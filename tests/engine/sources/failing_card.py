"""Stands where a card decodes: real pictures in a card's format, until it gives up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av

from engine.sources.decoders import OFF, Decoding, open_container


class _Seeming:
    """Like `inner`, but for what a subclass changes."""

    def __init__(self, inner: Any) -> None:
        object.__setattr__(self, "_inner", inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)


class _Context(_Seeming):
    is_hwaccel = True


class _Stream(_Seeming):
    @property
    def codec_context(self) -> Any:
        return _Context(self._inner.codec_context)


class _Streams(_Seeming):
    @property
    def video(self) -> list[Any]:
        return [_Stream(stream) for stream in self._inner.video]


class _Packet(_Seeming):
    def __init__(self, inner: Any, card: FailingCard) -> None:
        super().__init__(inner)
        object.__setattr__(self, "_card", card)

    def decode(self) -> list[Any]:
        pictures = []
        for picture in self._inner.decode():
            if self._card.left == 0:
                raise av.error.ExternalError(0, "the card's memory is full")
            self._card.left -= 1
            converted = picture.reformat(format="nv12")
            converted.pts, converted.time_base = picture.pts, picture.time_base
            pictures.append(converted)
        if self._card.left == 0:
            raise av.error.ExternalError(0, "the card's memory is full")
        return pictures


class _Container(_Seeming):
    def __init__(self, inner: Any, card: FailingCard) -> None:
        super().__init__(inner)
        object.__setattr__(self, "_card", card)

    @property
    def streams(self) -> Any:
        return _Streams(self._inner.streams)

    def demux(self, stream: Any) -> Iterator[Any]:
        return (_Packet(packet, self._card) for packet in self._inner.demux(stream._inner))

    def seek(self, offset: int, *, stream: Any, backward: bool) -> None:
        self._inner.seek(offset, stream=stream._inner, backward=backward)


class FailingCard:
    """Instead of `open_container`: a card that decodes `left` pictures and no more.

    Pictures that are kept have planes that speak DLPack, but lie in main memory.
    """

    def __init__(self, left: int, *, is_kept: bool = False) -> None:
        self.left = left
        self._is_kept = is_kept
        self.opened = 0

    def __call__(self, url: str, choice: str = OFF, **arguments: Any) -> tuple[Any, Decoding]:
        container, decoding = open_container(url, OFF, **arguments)
        if choice == OFF:
            return container, decoding
        self.opened += 1
        return _Container(container, self), Decoding(hardware="cuda", is_kept=self._is_kept)
