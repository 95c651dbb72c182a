"""Test sets of our own: procedural colons or CT anatomy, as stored or in any style."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.errors import RecipeError
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.simulate.appearance import STORED, Rendering, check_style, draw_look, drawn
from train.simulate.dataset import Label, SimulatedSet
from train.tracking.consistency import Viewpoint

_SEED = 4711


@dataclass(frozen=True)
class SimulatedSequence:
    """One sequence of a simulated set; drawn anew, a video has one look all along."""

    data: SimulatedSet
    name: str
    number: int
    style: str

    @property
    def is_video(self) -> bool:
        """It has times."""
        return "times" in self.data.sequence(self.name).arrays

    def __len__(self) -> int:
        return len(self.data.sequence(self.name))

    def __getitem__(self, number: int) -> LabelledFrame:
        opened = self.data.sequence(self.name)
        geometry = self.data.frame(self.name, number)
        picture = self._rendering(number)
        pose = np.asarray(opened.arrays["poses"][number])
        return LabelledFrame(
            image=picture.image,
            valid=picture.valid,
            fold=picture.fold,
            instances=np.where(picture.fold, geometry.instances, 0).astype(np.int32),
            edge=picture.edge,
            viewpoint=Viewpoint(geometry.depth_mm, pose, opened.camera) if self.is_video else None,
        )

    def _rendering(self, number: int) -> Rendering:
        rng = np.random.default_rng([_SEED, self.number, number])
        if self.is_video and self.style != STORED:
            look = draw_look(self.style, np.random.default_rng([_SEED, self.number]))
            return look.render(self.data.frame(self.name, number), rng)
        return drawn(self.data, (self.name, number), rng, self.style)


def open_simulated(settings: TestSettings) -> LabelledSet:
    """A split of a simulated set.

    Raises:
        RecipeError: no set, no such split, label or style.
    """
    if settings.label not in list(Label):
        raise RecipeError(
            f"There is no label {settings.label!r}.", f"Choose one of: {', '.join(Label)}."
        )
    if settings.style != STORED:
        check_style(settings.style)
    data = SimulatedSet(settings.path, Label(settings.label))
    if settings.split not in data.splits:
        raise RecipeError(
            f"{settings.folder} has no split {settings.split!r}.",
            f"Choose one of: {', '.join(data.splits)}.",
        )
    names = data.splits[settings.split]
    return LabelledSet(
        settings.name,
        tuple(SimulatedSequence(data, name, at, settings.style) for at, name in enumerate(names)),
    )
