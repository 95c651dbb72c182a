"""What shading a frame costs, by style and stage: milliseconds of one core a frame.

python benchmarks/shading.py SET [FRAMES]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from train.simulate import sensor
from train.simulate.appearance import STYLES, draw_look
from train.simulate.dataset import GeometryFrame, SimulatedSet
from train.simulate.looks.mucosa import MucosaLook, surroundings
from train.simulate.tissue import TILES, tile


def main(folder: str, frames: str = "48") -> None:
    """Print a table of styles and one of the stages of a rich frame."""
    cv2.setNumThreads(1)
    data = SimulatedSet(Path(folder))
    names = data.frames("train")
    chosen = np.linspace(0, len(names) - 1, int(frames)).astype(int)
    views = [data.frame(*names[index]) for index in chosen]
    for number in range(TILES):
        tile(number)
    print("| style | ms a frame |\n|---|---|")
    for style in STYLES:
        print(f"| {style} | {cost_ms(views, lambda rng, s=style: draw_look(s, rng).render):.1f} |")
    print("\n| stage of rich | ms a frame |\n|---|---|")
    for name, stage in STAGES.items():
        print(f"| {name} | {cost_ms(views, lambda rng, s=stage: s(rich(rng))):.2f} |")


Stage = Callable[[GeometryFrame, np.random.Generator], Any]


def cost_ms(views: list[GeometryFrame], prepare: Callable[[np.random.Generator], Stage]) -> float:
    """Mean processor time of what is prepared for every frame; one look serves two frames."""
    spent_s = 0.0
    for number, view in enumerate(views):
        stage = prepare(np.random.default_rng(number // 2))
        started_s = time.process_time()
        stage(view, np.random.default_rng(number))
        if number >= 2:  # what is made once is made by then
            spent_s += time.process_time() - started_s
    return 1e3 * spent_s / (len(views) - 2)


def rich(rng: np.random.Generator) -> MucosaLook:
    """A rich look."""
    look = draw_look("rich", rng)
    assert isinstance(look, MucosaLook)
    return look


def _covers(look: MucosaLook) -> Stage:
    return lambda view, _: [
        cover.paint(np.zeros((*view.valid.shape, 3), np.float32)) for cover in look.covers
    ]


STAGES: dict[str, Callable[[MucosaLook], Stage]] = {
    "texture": lambda look: lambda view, _: look.wall.on(view),
    "surroundings": lambda look: lambda view, _: surroundings(view),
    "radiance (with both above)": lambda look: lambda view, _: look.radiance(view),
    "exposure": lambda look: (
        lambda view, rng: sensor.expose(view.rays, view.valid, look.exposure, look.processor, rng)
    ),
    "covers": _covers,
    "processing": lambda look: lambda view, rng: sensor.process(view.rays, look.processor, rng),
    "screen": lambda look: (
        lambda view, _: look.screen.apply(np.zeros((*view.valid.shape, 3), np.uint8))
    ),
    "JPEG": lambda look: (
        lambda view, _: sensor.compress((view.rays * 255).astype(np.uint8), look.processor.quality)
    ),
    "all": lambda look: look.render,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
