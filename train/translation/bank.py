"""Pictures for training a translator, all in memory: simulated ones with their truth, real ones.

Batch number n depends on (seed, n) alone, so a run that goes on sees what it would have seen.
Pictures are resized bilinearly, labels, depth and normals by the nearest pixel; a mirror image is a
true one, and its normals point the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from engine.errors import RecipeError
from train.real import RealFrame, place_frame
from train.simulate.appearance import drawn
from train.simulate.camera import Camera
from train.simulate.dataset import GeometryFrame, SimulatedSet
from train.translation import Batch
from train.translation.recipe import TranslationRecipe

_FARTHEST_MM = 6e4
"""What half precision can hold."""


@dataclass(frozen=True, slots=True)
class SimulatedBank:
    """n simulated pictures, S wide and high."""

    image: Tensor
    """(n, S, S, 3) uint8 RGB."""
    seen: Tensor
    """(n, S, S) bool."""
    depth_mm: Tensor
    """(n, S, S) float16, 0 where unknown."""
    normal: Tensor
    """(n, S, S, 3) int8, times 127."""
    fold: Tensor
    """(n, S, S) bool."""
    edge: Tensor
    """(n, S, S) bool."""
    instances: Tensor
    """(n, S, S) int32."""
    camera: Tensor
    """(n,) int64, which of `rays`."""
    rays: Tensor
    """(m, S, S, 3) float32, unit directions of the pixels of m cameras; 0 where unknown."""

    def __len__(self) -> int:
        return len(self.image)


@dataclass(frozen=True, slots=True)
class RealBank:
    """n real pictures, S wide and high."""

    image: Tensor
    """(n, S, S, 3) uint8 RGB."""
    seen: Tensor
    """(n, S, S) bool: inside the field of view."""

    def __len__(self) -> int:
        return len(self.image)


def simulated_bank(data: SimulatedSet, split: str, style: str, size: int) -> SimulatedBank:
    """Every frame of a split: as stored, or shaded now, one look a frame.

    Raises:
        RecipeError: the split is empty.
    """
    frames = data.frames(split)
    if not frames:
        raise RecipeError(f"{data.folder} has no {split} frames.", "Simulate the set again.")
    rows, cameras = [], dict[Camera, int]()
    for number, at in enumerate(tqdm(frames, unit="frame", desc="simulated pictures")):
        geometry = data.frame(*at)
        camera = cameras.setdefault(data.sequence(at[0]).camera, len(cameras))
        rendering = drawn(data, at, np.random.default_rng([97, number]), style)
        shown = (rendering.fold, rendering.edge, rendering.valid)
        rows.append((*_resized(rendering.image, geometry, shown, size), np.int64(camera)))
    rays = _stacked([each.resized(size, size).rays().astype(np.float32) for each in cameras])
    columns = [_stacked(column) for column in zip(*rows, strict=True)]
    return SimulatedBank(*[*columns, rays])


def real_bank(frames: Sequence[RealFrame], size: int) -> RealBank:
    """The real frames, each cropped to its field of view.

    Raises:
        RecipeError: none given.
    """
    if not frames:
        raise RecipeError("There are no real pictures.", "Name a folder that holds some.")
    bar = tqdm(frames, unit="frame", desc="real pictures")
    placed = [place_frame(frame, size) for frame in bar]
    return RealBank(
        _stacked([frame.image for frame in placed]), _stacked([frame.valid for frame in placed])
    )


def _resized(
    image: NDArray[np.uint8],
    geometry: GeometryFrame,
    shown: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]],
    size: int,
) -> tuple[NDArray[Any], ...]:
    """One row of a `SimulatedBank`."""

    def nearest(plane: NDArray[Any]) -> NDArray[Any]:
        if plane.dtype == bool:
            return nearest(plane.view(np.uint8)).astype(bool)
        return np.asarray(cv2.resize(plane, (size, size), interpolation=cv2.INTER_NEAREST_EXACT))

    fold, edge, seen = shown
    depth = np.where(seen, np.minimum(geometry.depth_mm, _FARTHEST_MM), 0)
    return (
        np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)),
        nearest(seen),
        nearest(depth.astype(np.float32)).astype(np.float16),
        np.round(nearest(geometry.normal) * np.float32(127)).astype(np.int8),
        nearest(fold),
        nearest(edge),
        nearest(geometry.instances * fold).astype(np.int32),
    )


def _stacked(arrays: Sequence[NDArray[Any]]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


class Batches:
    """Random crops of both banks, mirrored half of the time, by number."""

    def __init__(
        self, simulated: SimulatedBank, real: RealBank, *, size: int, count: int, seed: int
    ) -> None:
        self._simulated, self._real = simulated, real
        self._size, self._count, self._seed = size, count, seed

    @classmethod
    def of(cls, recipe: TranslationRecipe, simulated: SimulatedBank, real: RealBank) -> Batches:
        """As a recipe asks for them."""
        pictures = recipe.pictures
        return cls(simulated, real, size=pictures.size, count=pictures.batch, seed=recipe.seed)

    @property
    def larger(self) -> int:
        """Pictures in the larger bank, which an epoch passes through once."""
        return max(len(self._simulated), len(self._real))

    def __getitem__(self, number: int) -> Batch:
        return self._drawn(np.random.default_rng([self._seed, 0, number]))

    def for_people(self, number: int) -> Batch:
        """Batches that are looked at again and again, and not learned from in this order."""
        return self._drawn(np.random.default_rng([self._seed, 1, number]))

    def _drawn(self, rng: np.random.Generator) -> Batch:
        picks = [
            _Pick.draw(rng, self._simulated.image.shape, self._size) for _ in range(self._count)
        ]
        real = [_Pick.draw(rng, self._real.image.shape, self._size) for _ in range(self._count)]
        bank = self._simulated
        normal = torch.stack([pick.vectors(bank.normal) for pick in picks]).float() / 127
        return Batch(
            simulated=_pictures([pick(bank.image) for pick in picks]),
            real=_pictures([pick(self._real.image) for pick in real]),
            seen=torch.stack([pick(bank.seen) for pick in picks]),
            seen_real=torch.stack([pick(self._real.seen) for pick in real]),
            depth_mm=torch.stack([pick(bank.depth_mm) for pick in picks]).float(),
            normal=normal.permute(0, 3, 1, 2).contiguous(),
            rays=torch.stack([pick.rays(bank) for pick in picks]).permute(0, 3, 1, 2).contiguous(),
            fold=torch.stack([pick(bank.fold) for pick in picks]),
            edge=torch.stack([pick(bank.edge) for pick in picks]),
            instances=torch.stack([pick(bank.instances) for pick in picks]),
        )


@dataclass(frozen=True, slots=True)
class _Pick:
    """One picture of a bank, where it is cut and whether it is mirrored."""

    number: int
    top: int
    left: int
    size: int
    is_mirrored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, shape: Sequence[int], size: int) -> _Pick:
        room = shape[1] - size
        return cls(
            int(rng.integers(shape[0])), int(rng.integers(room + 1)), int(rng.integers(room + 1)),
            size, bool(rng.random() < 0.5),
        )  # fmt: skip

    def __call__(self, planes: Tensor) -> Tensor:
        """(n, S, S, ...) → (size, size, ...)."""
        return self._cut(planes[self.number])

    def vectors(self, planes: Tensor) -> Tensor:
        """The same of vectors (n, S, S, 3): x turns with the picture."""
        return self._turned(self(planes))

    def rays(self, bank: SimulatedBank) -> Tensor:
        """(size, size, 3)."""
        return self._turned(self._cut(bank.rays[int(bank.camera[self.number])]))

    def _cut(self, plane: Tensor) -> Tensor:
        rows = slice(self.top, self.top + self.size)
        cut = plane[rows, self.left : self.left + self.size]
        return cut.flip(1) if self.is_mirrored else cut

    def _turned(self, cut: Tensor) -> Tensor:
        return cut * torch.tensor([-1, 1, 1], dtype=cut.dtype) if self.is_mirrored else cut


def _pictures(images: Sequence[Tensor]) -> Tensor:
    """(H, W, 3) uint8 each → (B, 3, H, W) in [-1, 1]."""
    stacked = torch.stack(list(images)).permute(0, 3, 1, 2).float()
    return (stacked / 127.5 - 1).contiguous(memory_format=torch.channels_last)
