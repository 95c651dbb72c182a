"""One camera path of a simulated set, ready to be written in another layout."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Mask
from train.simulate.appearance import Look, draw_look
from train.simulate.camera import Camera, Floats
from train.simulate.dataset import Flag, SimulatedSet
from train.simulate.layouts.rectify import rectify


@dataclass(frozen=True, slots=True)
class WalkFrame:
    """One frame; arrays are (H, W) or (H, W, 3)."""

    image: Image
    """RGB."""
    depth_mm: NDArray[np.float32]
    """Along z, 0 where the picture shows nothing."""
    normal: NDArray[np.float32]
    """Unit, camera coordinates, towards the camera."""
    pose: Floats
    """(4, 4) camera to world, mm, right-handed."""
    fold: Mask
    edge: Mask
    instances: NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Walk:
    """A sequence with one look; frames are made while it is iterated over.

    The set's own pictures are used where it keeps some and nothing is resampled; otherwise every
    frame is shaded in the same look, so that tissue and light stay. Depth and normals are the
    wall's, also where a rich picture shows a tool in front of it.
    """

    simulated: SimulatedSet
    name: str
    style: str = "plain"
    seed: int = 0
    height: int | None = None
    """Of the pictures to write; None: as rendered."""
    lens: Camera | None = None
    """Seen through this one instead of the sequence's own."""

    @property
    def camera(self) -> Camera:
        """What the frames were, or will be, taken with."""
        return self.lens or self.simulated.sequence(self.name).camera

    def through(self, camera: Camera) -> Walk:
        """The same path, resampled as another camera sees it."""
        return replace(self, lens=camera)

    def __len__(self) -> int:
        return len(self.simulated.sequence(self.name))

    def __iter__(self) -> Iterator[WalkFrame]:
        look = draw_look(self.style, np.random.default_rng(self._seed()))
        return (self._frame(number, look) for number in range(len(self)))

    def _seed(self, *more: int) -> list[int]:
        return [self.seed, zlib.crc32(self.name.encode()), *more]

    def _frame(self, number: int, look: Look) -> WalkFrame:
        sequence = self.simulated.sequence(self.name)
        geometry = self.simulated.frame(self.name, number)
        if self.lens is not None:
            geometry = rectify(geometry, sequence.camera, self.lens)
        stored = None if self.lens is not None else sequence.picture(number)
        if stored is None:
            shown = look.render(geometry, np.random.default_rng(self._seed(number)))
            image, valid, fold, edge = shown.image, shown.valid, shown.fold, shown.edge
        else:
            image = stored.image
            valid, fold, edge = (
                (stored.flags & flag) > 0 for flag in (Flag.VALID, Flag.FOLD, Flag.EDGE)
            )
        depth = geometry.depth_mm * geometry.rays[..., 2]
        return WalkFrame(
            image=image,
            depth_mm=np.where(valid, depth, 0).astype(np.float32),
            normal=geometry.normal,
            pose=np.asarray(sequence.arrays["poses"][number], np.float64),
            fold=fold,
            edge=edge,
            instances=np.where(fold, geometry.instances, 0).astype(np.uint16),
        )
