"""A few looks of every simulated frame, shaded once and kept: training then pays for reading alone.

Shading a rich picture costs a third as much as learning from it. A gallery shades the look number
k of a frame when it is first asked for, always the same way, and keeps it as a file:

    <folder>/<sequence>/000012-1.npy    (H, W, 4) uint8: RGB and the bits of `Bit`
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from train.simulate.appearance import STORED, drawn
from train.simulate.dataset import SimulatedSet


class Bit(IntFlag):
    """Labels of a kept picture, in the order of `SimulatedSample.labels`."""

    FOLD = 1
    EDGE = 2
    VALID = 4
    HARD = 8


@dataclass(frozen=True, slots=True)
class Gallery:
    """Pictures of a set in one style; `looks` of each frame, or a new one at every draw if 0."""

    data: SimulatedSet
    style: str
    seed: int
    looks: int = 0
    folder: Path | None = None
    """Where they are kept; needed for looks > 0."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Further styles and the share of pictures that are in each."""

    def draw(
        self, at: tuple[str, int], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """(H, W, 3) RGB and (H, W, 4) labels 0/1 of one frame in a look that `rng` chooses.

        Raises:
            RecipeError: unknown style, or the set keeps no pictures.
        """
        if self.looks == 0 or self.style == STORED or self.folder is None:
            kept = self._shaded(at, rng)
        else:
            kept = self._kept(at, int(rng.integers(self.looks)), self.folder)
        bits = kept[..., 3:] & np.array(list(Bit), np.uint8)
        return np.ascontiguousarray(kept[..., :3]), (bits > 0).astype(np.uint8)

    def _kept(self, at: tuple[str, int], look: int, folder: Path) -> NDArray[np.uint8]:
        path = folder / at[0] / f"{at[1]:06d}-{look}.npy"
        try:
            found: NDArray[np.uint8] = np.load(path)
        except (OSError, ValueError):
            found = self._shaded(
                at, np.random.default_rng([self.seed, crc32(at[0].encode()), at[1], look])
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            # Two workers may shade the same picture: each writes a file of its own.
            temporary = path.with_suffix(f".{os.getpid()}.tmp")
            with temporary.open("wb") as file:
                np.save(file, found)
            temporary.replace(path)
        return found

    def _shaded(self, at: tuple[str, int], rng: np.random.Generator) -> NDArray[np.uint8]:
        picture = drawn(self.data, at, rng, self._style(rng))
        kept = np.zeros((*picture.fold.shape, 4), np.uint8)
        kept[..., :3] = picture.image
        planes = (picture.fold, picture.edge, picture.valid, picture.hard)
        for bit, plane in zip(Bit, planes, strict=True):
            kept[..., 3] |= plane * np.uint8(bit)
        return kept

    def _style(self, rng: np.random.Generator) -> str:
        if not self.others:
            return self.style
        shares = [1 - sum(self.others.values()), *self.others.values()]
        return str(rng.choice([self.style, *self.others], p=shares))
