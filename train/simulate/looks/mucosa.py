"""The look of all styles with tissue: a wall, lamps, a film of mucus, a processor, a screen."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate.appearance import Rendering
from train.simulate.covers import Cover
from train.simulate.dataset import GeometryFrame
from train.simulate.light import (
    NEAREST_MM,
    POOL,
    RAISED,
    SCRATCH,
    WALL,
    Film,
    Lamps,
    Optics,
    Skin,
    illuminate,
)
from train.simulate.screen import Screen
from train.simulate.sensor import Exposure, Processor, compress, expose, process
from train.simulate.tissue import Wall

Floats = NDArray[np.float32]
_SURROUNDINGS = 8
"""Width of a picture over the reach of light from wall to wall."""


@dataclass(frozen=True, slots=True)
class MucosaLook:
    """All that stays over a video; drawn by a style."""

    wall: Wall
    lamps: Lamps
    skin: Skin
    film: Film
    optics: Optics
    exposure: Exposure = field(default_factory=Exposure)
    processor: Processor = field(default_factory=Processor)
    covers: tuple[Cover, ...] = ()
    screen: Screen = field(default_factory=Screen)

    def render(self, frame: GeometryFrame, rng: np.random.Generator) -> Rendering:
        """Light, exposure, covers, sensor, screen, file."""
        picture = expose(self.radiance(frame), frame.valid, self.exposure, self.processor, rng)
        covered = np.zeros_like(frame.valid)
        for cover in self.covers:
            covered |= cover.paint(picture)
        picture = process(picture, self.processor, rng)
        image, view = self.screen.apply((picture * 255 + np.float32(0.5)).astype(np.uint8))
        valid = frame.valid & view
        return Rendering(
            image=compress(image, self.processor.quality),
            fold=frame.fold & valid & ~covered,
            edge=frame.edge & valid & ~covered,
            valid=valid,
            hard=(frame.polyp | covered) & valid,
        )

    def radiance(self, frame: GeometryFrame) -> Floats:
        """Linear light (H, W, 3) that reaches the sensor, in no unit; 0 where there is no wall."""
        radiance = np.empty((*frame.depth_mm.shape, 3), np.float32)
        normal, rays = (np.ascontiguousarray(each) for each in (frame.normal, frame.rays))
        depth = np.ascontiguousarray(frame.depth_mm)
        illuminate(
            (depth, normal, rays, kinds(frame)),
            (self.wall.on(frame), surroundings(frame)),
            (self.lamps, self.skin, self.film, self.optics),
            radiance,
            np.empty(SCRATCH),
        )
        return radiance


def kinds(frame: GeometryFrame) -> NDArray[np.uint8]:
    """(H, W) of `WALL`, `RAISED` and `POOL`."""
    kind = np.full(frame.valid.shape, WALL, np.uint8)
    kind[frame.polyp & ~frame.fluid] = RAISED
    kind[frame.fluid] = POOL
    return kind


def surroundings(frame: GeometryFrame) -> Floats:
    """Light (H, W) that walls send each other: what falls on them, spread over an eighth."""
    facing = np.maximum(-np.einsum("ijk,ijk->ij", frame.normal[::4, ::4], frame.rays[::4, ::4]), 0)
    arriving = facing / np.maximum(frame.depth_mm[::4, ::4], 4 * NEAREST_MM) ** 2
    height, width = frame.depth_mm.shape
    spread = cv2.GaussianBlur(arriving, (0, 0), max(width / 4 / _SURROUNDINGS, 0.5))
    return np.asarray(cv2.resize(spread, (width, height)), np.float32)
