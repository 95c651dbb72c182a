"""How fast live streams are opened, missed and back, on the loopback interface.

    python -m benchmarks.live_signal [--runs 5]

For every way to send: open, then stop the sender (a stall first, so that no closed connection gives
it away), wait for the loss to be seen, start it again at once and wait for its first new picture.
The delay is from the moment a picture is drawn to the moment it is read as RGB.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from typing import cast

from engine.sources import LiveSource, open_source
from engine.sources.pattern import read_code
from tests.streams import RATE_HZ, WAYS, Camera, has_rtsp_server

_SECOND_START = 5000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    print("median ≤ worst, seconds; delay in frames")
    print(f"{'way':10s} {'open':>12s} {'lost':>12s} {'back':>12s} {'delay':>12s}")
    for name in WAYS:
        if name.startswith("rtsp") and not has_rtsp_server():
            print(f"{name:10s} gst-rtsp-server is not installed")
            continue
        measured: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(runs):
            for what, value in _once(name).items():
                measured[what].append(value)
        row = [f"{statistics.median(each):5.2f} ≤{max(each):5.2f}" for each in measured.values()]
        print(f"{name:10s} " + " ".join(f"{cell:>12s}" for cell in row))


def _once(name: str) -> dict[str, float]:
    way = WAYS[name]
    port = way.free_port()
    camera = Camera(way.outlet(port))
    started_s = time.monotonic()
    with closing(cast(LiveSource, open_source(way.address.format(port=port)))) as source:
        open_s = time.monotonic() - started_s
        _until(lambda: _code(source) is not None)
        time.sleep(0.5)
        _code(source)
        _until(lambda: (code := _code(source)) is not None and code > 0)
        behind = [camera.number - 1 - code for _ in range(25) if (code := _code(source))]
        camera.is_stalled.set()
        lost_s = _until(lambda: not source.signal.is_present)
        camera.stop()
        camera = Camera(way.outlet(port), first=_SECOND_START)
        back_s = _until(lambda: (_code(source) or 0) >= _SECOND_START)
        camera.stop()
    return {
        "open": open_s,
        "lost": lost_s,
        "back": back_s,
        "delay": statistics.median(behind),
    }


def _code(source: LiveSource) -> int | None:
    frame = source.read()
    return None if frame is None else read_code(frame.image)


def _until(is_so: Callable[[], bool]) -> float:
    started_s = time.monotonic()
    while not is_so():
        if time.monotonic() - started_s > 10:
            raise SystemExit("the stream never did what was waited for")
        time.sleep(0.5 / RATE_HZ / 10)
    return time.monotonic() - started_s


if __name__ == "__main__":
    main()
