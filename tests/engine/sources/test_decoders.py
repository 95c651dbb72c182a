"""What this installation can decode."""

from __future__ import annotations

import pytest

from engine.sources.decoders import FORMATS, decodable_formats, has_decoder


@pytest.mark.parametrize("name", FORMATS)
def test_the_pinned_av_reads_every_format(name: str) -> None:
    assert name in decodable_formats()


def test_an_unknown_format_is_not_claimed() -> None:
    assert not has_decoder("no-such-codec")
