"""Samples for training: simulated pictures, shaded as they are drawn or stored; and real ones.

Sample number n depends on (seed, n) alone, never on the worker that draws it, so a resumed run
sees exactly the pictures it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from engine.errors import RecipeError
from engine.types import Image
from train.augment import Warp, borrow_amplitudes, perturb, retone
from train.gallery import Gallery
from train.pasting import Patch, paste_some, patches
from train.real import Half, PlacedFrame, RealFrame, RealKind, place_frame, real_frames
from train.simulate.dataset import DISTANCE_UNIT_MM
from train.team import ALONE, Team

_KIND_SHARE = {RealKind.UNLABELLED: 0.5, RealKind.POLYP: 0.35, RealKind.FLAT: 0.15}


class SimulatedSample(NamedTuple):
    """Tensors of one picture, or stacked with a leading (B,)."""

    image: Tensor
    """(H, W, 3) uint8 RGB."""
    labels: Tensor
    """(4, H, W) uint8 0/1: fold, edge, valid, hard."""
    distance: Tensor
    """(H, W) float32, along the ray, mm; 0 where it is not known."""


class RealSample(NamedTuple):
    """Two views of one real picture under the same warp."""

    weak: Tensor
    """(H, W, 3) uint8: for the teacher."""
    strong: Tensor
    """(H, W, 3) uint8: for the student."""
    masks: Tensor
    """(3, H, W) uint8 0/1: valid, visible to the student, known to hold no fold."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the simulated pictures that are changed in some way; 0 changes nothing."""

    borrowed: float = 0.0
    """With the slow colours of a lender."""
    pasted: float = 0.0
    """With one to three polyps."""
    straight: float = 0.0
    """Only mirrored and turned by quarters, so that they stay as sharp as they are."""


UNCHANGED = Shares()


class SimulatedSamples(Dataset[SimulatedSample]):
    """Random frames of one split; some borrow a real frame's colours, or bear real polyps."""

    def __init__(
        self,
        gallery: Gallery,
        split: str,
        seed: int,
        shares: Shares = UNCHANGED,
        lenders: Sequence[Image] = (),
        polyps: Sequence[Patch] = (),
    ) -> None:
        """Without `lenders` nothing is borrowed, without `polyps` none pasted."""
        self._gallery = gallery
        self._frames = gallery.data.frames(split)
        if not self._frames:
            raise RecipeError(
                f"{gallery.data.folder} has no {split} frames.", "Simulate the set again."
            )
        self._seed = seed
        self._lenders = lenders
        self._borrowed = shares.borrowed if lenders else 0.0
        self._polyps = polyps
        self._pasted = shares.pasted if polyps else 0.0
        self._straight = shares.straight

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, number: int) -> SimulatedSample:
        rng = np.random.default_rng([self._seed, number])
        at = self._frames[int(rng.integers(len(self._frames)))]
        image, labels = self._gallery.draw(at, rng)
        if self._borrowed and rng.random() < self._borrowed:
            lender = self._lenders[int(rng.integers(len(self._lenders)))]
            image = borrow_amplitudes(image, lender, int(rng.integers(1, 5)))
        if self._gallery.looks:
            image = retone(image, rng)
        distance = self._gallery.data.sequence(at[0]).arrays["distance"][at[1]]
        if self._pasted and rng.random() < self._pasted:
            image, labels, covered = paste_some(image, labels, self._polyps, rng)
            distance = np.where(covered, 0, distance)
        is_straight = self._straight > 0 and rng.random() < self._straight
        warp = Warp.draw(rng, image.shape[0], strength=0.0 if is_straight else 1.0)
        return SimulatedSample(
            torch.from_numpy(warp.image(image)),
            _planes(warp.labels(labels)),
            torch.from_numpy(warp.nearest(distance.astype(np.float32) * DISTANCE_UNIT_MM)),
        )


class RealSamples(Dataset[RealSample]):
    """Random real training frames; `share` of each kind is fixed, whatever their numbers."""

    def __init__(self, real: Path, size: int, seed: int) -> None:
        frames = real_frames(real, Half.TRAINING)
        self._by_kind: dict[RealKind, list[PlacedFrame]] = {}
        for frame in frames:
            self._by_kind.setdefault(frame.kind, []).append(place_frame(frame, size))
        self._seed = seed
        self._size = size

    def views(self) -> list[Image]:
        """The pictures that show a proper view: all but the crops of flat mucosa."""
        return [
            frame.image
            for kind, frames in self._by_kind.items()
            if kind is not RealKind.FLAT
            for frame in frames
        ]

    def polyps(self) -> list[Patch]:
        """Cut out of the frames where they are marked."""
        return patches(self._by_kind.get(RealKind.POLYP, []))

    def __len__(self) -> int:
        return sum(len(frames) for frames in self._by_kind.values())

    def counts(self) -> dict[str, int]:
        """Frames by kind."""
        return {kind.value: len(frames) for kind, frames in self._by_kind.items()}

    def __getitem__(self, number: int) -> RealSample:
        rng = np.random.default_rng([self._seed, 1, number])
        kinds = list(self._by_kind)
        share = np.array([_KIND_SHARE[kind] for kind in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=share / share.sum()))]
        frames = self._by_kind[kind]
        frame = frames[int(rng.integers(len(frames)))]
        warp = Warp.draw(rng, self._size)
        image = warp.image(frame.image)
        masks = np.stack([frame.valid, frame.valid, frame.absent], axis=2).astype(np.uint8)
        masks = warp.labels(masks)
        strong, visible = perturb(image, rng)
        masks[..., 1] *= visible
        return RealSample(torch.from_numpy(image), torch.from_numpy(strong), _planes(masks))


class Counting(Sampler[int]):
    """Numbers without end: `start`, `start` + `stride`, ..."""

    def __init__(self, start: int, stride: int = 1) -> None:
        self._start, self._stride = start, stride

    def __iter__(self) -> Iterator[int]:
        number = self._start
        while True:
            yield number
            number += self._stride


def endless(
    samples: Dataset[Any], batch: int, start: int, workers: int, team: Team = ALONE
) -> Iterator[tuple[Tensor, ...]]:
    """Batches of sample numbers `start`..., drawn by `workers` processes (0: this one).

    The processes of a team take turns, each from its own `start`-th picture on.
    """
    loader = DataLoader(
        cast("Dataset[tuple[Tensor, ...]]", samples),
        batch_size=batch,
        sampler=Counting(start * team.size + team.rank, team.size),
        num_workers=workers,
        worker_init_fn=_single_threaded,
        # A forked copy of a process with threads may find their locks taken for ever.
        multiprocessing_context="spawn" if workers else None,
        persistent_workers=workers > 0,
        prefetch_factor=4 if workers else None,
    )
    return iter(loader)


def to_network(images: Tensor, device: torch.device) -> Tensor:
    """(B, H, W, 3) uint8 → (B, 3, H, W) float32 0..255, channels last."""
    return images.to(device, non_blocking=True).permute(0, 3, 1, 2).float()


def frames_of(real: Path) -> list[RealFrame]:
    """The real frames training may use; empty where the folder is absent."""
    return real_frames(real, Half.TRAINING)


def _planes(labels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(labels.transpose(2, 0, 1)))


def _single_threaded(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
