"""What it would save to take the network's grid from the decoder's planes instead of from RGB.

    haustra pattern -o p.mp4 --size 1920x1080 --fps 50 --frames 60
    python -m benchmarks.picture_planes p.mp4

Milliseconds of processor time a picture, all ways by turns, for the middle square and the whole
frame. RGB is made in either case, because pictures are shown; `copy` is what painting would save
if it could convert into its own picture. Below, how far apart the grids are, in levels.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from engine.card import Colours
from engine.preprocess import Placement
from engine.types import Image

_SIZE = 256
_PICTURES = 8
"""Together larger than a processor's cache, as pictures of a video are."""
_TO_RGB = np.column_stack(Colours(0.299, 0.114, is_full=False).matrix())
"""(3, 4), with the shift behind."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One decoded picture in both forms."""

    raw: Any
    rgb: Image
    planes: tuple[NDArray[np.uint8], ...]
    """Luma, blue and red chroma of half the size."""


def read_samples(path: str) -> list[Sample]:
    """The first pictures of a video in `yuv420p`."""
    reformatter, samples = VideoReformatter(), []
    with av.open(path) as container:
        for raw in itertools.islice(container.decode(video=0), _PICTURES):
            planes = tuple(
                np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
                for plane in raw.planes
            )
            samples.append(Sample(raw, _convert(reformatter, raw), planes))
    return samples


def grid_of_planes(sample: Sample, placement: Placement) -> Image:
    """(size, size, 3) RGB: each plane is placed, colour comes last. The crop must be even."""
    crop = placement.crop_x, placement.crop_y, placement.crop_width, placement.crop_height
    half = Placement.fit((crop[0] // 2, crop[1] // 2, crop[2] // 2, crop[3] // 2), placement.size)
    luma, blue, red = sample.planes
    placed = (placement.image_to_grid(luma), half.image_to_grid(blue), half.image_to_grid(red))
    grid = cv2.transform(cv2.merge(placed), _TO_RGB)
    inside = np.zeros_like(grid)
    rows = slice(placement.y, placement.y + placement.height)
    columns = slice(placement.x, placement.x + placement.width)
    inside[rows, columns] = grid[rows, columns]
    return inside


def by_turns(
    ways: dict[str, Callable[[Sample], object]], samples: list[Sample], rounds: int
) -> str:
    """Median ms of processor time of each way, as cells of a table."""
    spent_s: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            began_s = time.thread_time()
            way(samples[number % len(samples)])
            spent_s[name].append(time.thread_time() - began_s)
    return " | ".join(f"{1e3 * statistics.median(spent_s[name]):.2f}" for name in ways)


def _convert(reformatter: VideoReformatter, raw: Any) -> Image:
    converted = reformatter.reformat(
        raw, format="rgb24", interpolation=Interpolation.FAST_BILINEAR, threads=1
    )
    return np.asarray(converted.to_ndarray(), np.uint8)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="The network's grid from planes or from RGB.")
    parser.add_argument("video", help="H.264 with 4:2:0 chroma in limited range")
    parser.add_argument("--rounds", type=int, default=200)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    samples, reformatter = read_samples(asked.video), VideoReformatter()
    height, width = samples[0].rgb.shape[:2]
    crops = {
        "middle": ((width - height) // 4 * 2, 0, height, height),
        "whole": (0, 0, width, height),
    }
    print("| crop | grid from RGB | from planes | copy | to RGB | levels apart: mean | max |")
    print("|---|---|---|---|---|---|---|")
    for name, crop in crops.items():
        placement = Placement.fit(crop, _SIZE)
        ways: dict[str, Callable[[Sample], object]] = {
            "rgb": lambda sample, at=placement: at.image_to_grid(sample.rgb),
            "planes": lambda sample, at=placement: grid_of_planes(sample, at),
            "copy": lambda sample: sample.rgb.copy(),
            "convert": lambda sample: _convert(reformatter, sample.raw),
        }
        apart = [
            cv2.absdiff(placement.image_to_grid(each.rgb), grid_of_planes(each, placement))
            for each in samples
        ]
        cells = by_turns(ways, samples, asked.rounds)
        print(f"| {name} | {cells} | {np.mean(apart):.2f} | {np.max(apart)} |")


if __name__ == "__main__":
    main()
