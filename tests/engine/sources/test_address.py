"""Addresses: what kind they name, and what of them may be shown."""

from __future__ import annotations

import pytest

from engine.errors import SourceError
from engine.sources import SOURCES
from engine.sources.address import KINDS, LocalAddress, kind_of, public_name


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("exam.mp4", None),
        ("frames/*.png", None),
        ("C:\\video\\exam.mp4", None),
        ("odd:name.mp4", None),
        ("pattern:160x120", "pattern"),
        ("live:exam.mp4", "simulated"),
        ("device:0", "device"),
        ("screen:0,0,640x480", "screen"),
        ("RTSP://host/path", "stream"),
        ("rtsp+udp://host/path", "stream"),
        ("udp://:5000", "stream"),
        ("http://host/stream", "stream"),
        ("session.SDP", "stream"),
    ],
)
def test_the_kind_is_told_by_the_address(spec: str, kind: str | None) -> None:
    assert kind_of(spec) == kind


def test_every_scheme_leads_to_a_source() -> None:
    assert set(KINDS.values()) <= set(SOURCES)


def test_an_address_of_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SourceError, match="rtsp") as refused:
        kind_of("ftp://user:secret@host/exam.mp4")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "shown"),
    [
        ("rtsp://user:secret@host:554/live?token=abc", "rtsp://host:554/live"),
        ("udp://@239.0.0.1:5000", "udp://239.0.0.1:5000"),
        ("exam.mp4", "exam.mp4"),
    ],
)
def test_secrets_are_not_shown(spec: str, shown: str) -> None:
    assert public_name(spec) == shown


def test_wishes_follow_the_place() -> None:
    address = LocalAddress.parse("device:My cam?size=640x480&rate=30", frozenset({"size", "rate"}))
    assert (address.place, address.wishes) == ("My cam", {"size": "640x480", "rate": "30"})


@pytest.mark.parametrize("spec", ["device:0?size", "device:0?colour=red"])
def test_a_wish_that_makes_no_sense_is_refused(spec: str) -> None:
    with pytest.raises(SourceError):
        LocalAddress.parse(spec, frozenset({"size"}))
