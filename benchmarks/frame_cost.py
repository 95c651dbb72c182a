"""What a picture costs: milliseconds of processor time by step, also on a machine that is busy.

    haustra pattern -o p.mp4 --size 1920x1080 --fps 50 --frames 400
    python -m benchmarks.frame_cost p.mp4

Steps are taken one after the other; then everything runs flat out, as for a file. Other work on
the machine makes all of it slower alike, so read ratios. `bound` is the share of the slowest
step's own pace that two cores could reach end to end if none of their time were lost.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import time
from collections.abc import Mapping

from engine.analyser import Analyser, open_analyser
from engine.offline import analyse_every_frame
from engine.overlay import paint_overlay
from engine.sources import VideoSource, open_source

_WARM_UP = 10
_CORES = 2


def cost_by_step(source: VideoSource, analyser: Analyser, frames: int) -> Mapping[str, float]:
    """ms of processor time a frame; `decode` holds the decoder's own threads."""
    segment, follow = analyser.stages
    spent_s = dict.fromkeys(("segment", "follow", "paint"), 0.0)
    counted, began_s = 0, time.process_time()
    for number in range(_WARM_UP + frames):
        frame = source.read()
        if frame is None:
            break
        if number == _WARM_UP:
            counted, began_s = 0, time.process_time()
            spent_s = dict.fromkeys(spent_s, 0.0)
        at_s = [time.thread_time()]
        mask = segment(frame)
        at_s.append(time.thread_time())
        analysis = follow(mask)
        at_s.append(time.thread_time())
        paint_overlay(frame.image, analysis.folds)
        at_s.append(time.thread_time())
        for name, (before, after) in zip(spent_s, itertools.pairwise(at_s), strict=True):
            spent_s[name] += after - before
        counted += 1
    total_s = time.process_time() - began_s
    steps = {"decode": total_s - sum(spent_s.values()), **spent_s, "together": total_s}
    return {name: 1e3 * seconds / max(1, counted) for name, seconds in steps.items()}


def cost_flat_out(source: VideoSource, analyser: Analyser, frames: int) -> float:
    """ms of processor time a frame, all threads at work."""
    source.seek(0.0)
    for stage in analyser.stages:
        stage.reset()
    counted, began_s = 0, time.process_time()
    with contextlib.closing(analyse_every_frame(source, analyser)) as every:
        for processed in itertools.islice(every, frames):
            paint_overlay(processed.analysis.frame.image, processed.analysis.folds)
            counted += 1
    return 1e3 * (time.process_time() - began_s) / max(1, counted)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What a picture costs, by step.")
    parser.add_argument("video")
    parser.add_argument("--frames", type=int, default=120)
    arguments = parser.parse_args()
    with (
        contextlib.closing(open_source(arguments.video)) as source,
        contextlib.closing(open_analyser(backend="openvino", threads=1)) as analyser,
    ):
        steps = cost_by_step(source, analyser, arguments.frames)
        flat_out = cost_flat_out(source, analyser, arguments.frames)
    slowest = max(value for name, value in steps.items() if name != "together")
    print("| step | ms |\n|---|---|")
    for name, value in {**steps, "flat out": flat_out}.items():
        print(f"| {name} | {value:.2f} |")
    print(f"\nbound: {_CORES * slowest / steps['together']:.2f} one after the other, ", end="")
    print(f"{_CORES * slowest / flat_out:.2f} flat out")


if __name__ == "__main__":
    main()
