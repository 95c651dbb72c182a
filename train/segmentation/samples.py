"""Views to learn from, epoch by epoch: one picture of each, or a simulated one and its translation.

What is drawn n-th depends on (seed, n) alone. An epoch shows every view once, in a new order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from engine.errors import RecipeError
from train.augment import Warp
from train.segmentation.recipe import DrawingSettings, Pictures
from train.simulate.appearance import STORED, Rendering, drawn
from train.simulate.dataset import Label, SimulatedSet
from train.team import Team


@dataclass(frozen=True, slots=True)
class Source:
    """One set and how its pictures are drawn."""

    data: SimulatedSet
    style: str

    def draw(self, at: tuple[str, int], rng: np.random.Generator) -> Rendering:
        """A picture of one view; of sequences in several styles also by the source's name."""
        return drawn(self.data, at, rng, self.style)


@dataclass(frozen=True, slots=True)
class Views:
    """Views of one split, each to be had from every source."""

    sources: tuple[Source, ...]
    frames: tuple[tuple[tuple[str, int], ...], ...]
    """For each view its sequence and number in every source."""

    @classmethod
    def of(
        cls, drawing: DrawingSettings, split: str, simulated: Path, translated: Path | None
    ) -> Views:
        """What a recipe asks for.

        Raises:
            RecipeError: no set, no frames, or a translation without its simulated picture.
        """
        plain = Source(SimulatedSet(simulated, Label(drawing.label)), drawing.style)
        if drawing.pictures == Pictures.SIMULATED:
            return cls._alone(plain, split)
        if translated is None:
            raise RecipeError(
                f"drawing.pictures = {drawing.pictures!r} needs a translated set.",
                "Make one: haustra-train translate apply TRANSLATOR SET -o TRANSLATED.",
            )
        painted = Source(SimulatedSet(translated, Label(drawing.label)), STORED)
        if drawing.pictures == Pictures.TRANSLATED:
            return cls._alone(painted, split)
        known = set(plain.data.frames(split))
        frames = [(_origin(at, known), at) for at in _frames(painted.data, split)]
        return cls((plain, painted), tuple(frames))

    @classmethod
    def _alone(cls, source: Source, split: str) -> Views:
        return cls((source,), tuple((at,) for at in _frames(source.data, split)))

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> int:
        """Width and height of the pictures, px."""
        name, _ = self.frames[0][0]
        return int(self.sources[0].data.sequence(name).arrays["flags"].shape[1])

    def draw(self, number: int, rng: np.random.Generator) -> list[Rendering]:
        """A view's pictures, one a source."""
        places = zip(self.sources, self.frames[number], strict=True)
        return [source.draw(at, rng) for source, at in places]


def _frames(data: SimulatedSet, split: str) -> list[tuple[str, int]]:
    frames = data.frames(split) if split in data.splits else []
    if not frames:
        raise RecipeError(f"{data.folder} has no {split} frames.", "Simulate the set again.")
    return frames


def _origin(at: tuple[str, int], known: set[tuple[str, int]]) -> tuple[str, int]:
    """Whose translation this is: sequences in further styles are called NAME-2, NAME-3."""
    name, number = at
    for origin in (at, (name.rpartition("-")[0], number)):
        if origin in known:
            return origin
    raise RecipeError(
        f"The translated frame {number} of {name} has no simulated one.",
        "Name the set that it was translated from.",
    )


class ViewSample(NamedTuple):
    """Pictures of one view under one warp, or of several with a leading (B,)."""

    images: Tensor
    """(P, H, W, 3) uint8 RGB, one a source."""
    labels: Tensor
    """(P, 4, H, W) uint8 0/1: fold, edge, valid, hard."""


class ViewSamples(Dataset[ViewSample]):
    """Samples by the number in this process's share of all batches."""

    def __init__(self, views: Views, batch: int, seed: int, team: Team) -> None:
        """`batch`: views in a step of one process."""
        self._views, self._batch, self._seed, self._team = views, batch, seed, team

    def __len__(self) -> int:
        return len(self._views)

    def __getitem__(self, number: int) -> ViewSample:
        step, place = divmod(number, self._batch)
        number = (step * self._team.size + self._team.rank) * self._batch + place
        epoch, at = divmod(number, len(self))
        rng = np.random.default_rng([self._seed, 2, number])
        order = _shuffled(self._seed, epoch, len(self))
        shown = self._views.draw(int(order[at]), rng)
        warp = Warp.draw(rng, shown[0].image.shape[0])
        images = np.stack([warp.image(each.image) for each in shown])
        labels = np.stack([warp.labels(_planes(each)) for each in shown])
        return ViewSample(
            torch.from_numpy(images),
            torch.from_numpy(np.ascontiguousarray(labels.transpose(0, 3, 1, 2))),
        )


@lru_cache(maxsize=2)
def _shuffled(seed: int, epoch: int, views: int) -> NDArray[np.int64]:
    """(views,) in the order of one epoch."""
    return np.random.default_rng([seed, 3, epoch]).permutation(views)


def _planes(shown: Rendering) -> NDArray[np.uint8]:
    """(H, W, 4): fold, edge, valid, hard."""
    planes = (shown.fold, shown.edge, shown.valid, shown.hard)
    return np.stack(planes, axis=2).astype(np.uint8)
