"""One connection, on files that stand for what comes over it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.sources.decoders import HARDWARE, hardware_problem
from engine.sources.feed import AvFeed, Input
from engine.sources.live import Picture
from engine.sources.pattern import read_code
from tests.clips import B_FRAMES, Clip, write_clip, write_sound
from tests.engine.sources.failing_card import FailingCard

_TIMEOUT_S = 5.0
_GROUPS = Clip(ticks=range(60), options={"bf": "0", "g": "10"})


class Arrivals:
    """A clock on which each packet is asked for and arrives as the test says."""

    def __init__(self, waits_s: Callable[[int], float], decodes_s: float) -> None:
        self._waits_s = waits_s
        self._decodes_s = decodes_s
        self._calls = 0
        self._now_s = 100.0

    def now_s(self) -> float:
        """Called once at first, then before and after each packet."""
        packet, has_arrived = divmod(self._calls - 1, 2)
        if self._calls:
            self._now_s += self._waits_s(packet) if has_arrived else self._decodes_s
        self._calls += 1
        return self._now_s

    def wait(self, event: object, timeout_s: float) -> bool:
        raise AssertionError("a feed waits for data only")


def _open(path: Path, clock: Arrivals | None = None, decoder: str = "auto") -> AvFeed:
    return AvFeed(Input("Camera 1", str(path), decoder=decoder), _TIMEOUT_S, clock)


def _read_to_the_end(feed: AvFeed) -> tuple[list[Picture], str]:
    """Every picture, and how it ended."""
    pictures = []
    try:
        while True:
            picture = feed.read()
            if picture is not None:
                pictures.append(picture)
    except SourceError as error:
        return pictures, str(error)


def _numbers(pictures: list[Picture]) -> list[int | None]:
    return [read_code(picture.draw()) for picture in pictures]


def test_a_feed_that_ends_says_so(tmp_path: Path) -> None:
    with closing(_open(write_clip(tmp_path / "clip.ts", Clip()))) as feed:
        assert _read_to_the_end(feed)[1] == "Camera 1 has ended. Start the sender again."


def test_pictures_that_come_out_of_order_are_given_in_order(tmp_path: Path) -> None:
    with closing(_open(write_clip(tmp_path / "clip.ts", B_FRAMES))) as feed:
        numbers = _numbers(_read_to_the_end(feed)[0])
    assert numbers == sorted(numbers, key=lambda number: number or 0)
    assert len(numbers) > 15


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Camera 1 sends no video"):
        _open(write_sound(tmp_path / "sound.mp4"))


@pytest.mark.parametrize("kind", HARDWARE)
def test_hardware_that_was_named_and_is_missing_is_told(tmp_path: Path, kind: str) -> None:
    if hardware_problem(kind) is None:
        pytest.skip(f"{kind} works here")
    with closing(_open(write_clip(tmp_path / "clip.ts", Clip()), decoder=kind)) as feed:
        assert feed.read() is not None or feed.read() is not None
        assert feed.decoder == "h264 (software, 1 thread)"
        assert (feed.note or "").startswith(f"{kind} cannot decode here")


def test_all_pictures_are_decoded_by_a_machine_that_keeps_up(tmp_path: Path) -> None:
    clock = Arrivals(waits_s=lambda number: 0.015, decodes_s=0.005)
    with closing(_open(write_clip(tmp_path / "clip.ts", _GROUPS), clock)) as feed:
        numbers = _numbers(_read_to_the_end(feed)[0])
        assert (len(numbers) >= 58, feed.note) == (True, None)


def test_what_piled_up_is_dropped_and_decoding_goes_on_at_a_key_frame(tmp_path: Path) -> None:
    # 15 packets lie there already and each takes 50 ms to decode: by the sixth, 0.25 s are over.
    clock = Arrivals(waits_s=lambda number: 0.0 if number < 15 else 0.02, decodes_s=0.05)
    with closing(_open(write_clip(tmp_path / "clip.ts", _GROUPS), clock)) as feed:
        numbers = _numbers(_read_to_the_end(feed)[0])
        assert "too slowly" in (feed.note or "")
    left_out = sorted(set(range(60)) - {number for number in numbers if number is not None})
    assert left_out[0] in (4, 5)
    assert left_out[-1] >= 19
    assert (max(number for number in left_out if number < 55) + 1) % 10 == 0


def test_software_goes_on_where_hardware_gives_up_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = FailingCard(20)
    monkeypatch.setattr("engine.sources.feed.open_container", card)
    with closing(_open(write_clip(tmp_path / "clip.ts", _GROUPS))) as feed:
        numbers = _numbers(_read_to_the_end(feed)[0])
        assert feed.note == "cuda does not decode any more; software decodes."
        assert feed.decoder == "h264 (software, 1 thread)"
    # A file that stands for a stream begins anew with each connection.
    assert numbers[:19] == list(range(19))
    assert numbers[-1] == 59
    assert card.opened == 1
