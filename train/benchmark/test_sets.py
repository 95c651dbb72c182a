"""What segmenters are measured on: sequences of pictures with what is known of them.

A kind of test set is a function of `TestSettings` that opens it; pictures are read when asked for.
Nothing here may have been trained on, nor have chosen a threshold.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from engine.errors import RecipeError
from engine.types import Image, Labels, Mask
from train.simulate.appearance import STORED
from train.simulate.dataset import Label
from train.tracking.consistency import Viewpoint

TEST_SETS: dict[str, str] = {
    "simulated": "train.benchmark.simulated:open_simulated",
    "endomapper": "train.benchmark.endomapper:open_endomapper",
    "foldit": "train.benchmark.foldit:open_foldit",
    "segcol": "train.benchmark.segcol:open_segcol",
    "polyps": "train.benchmark.polyps:open_polyps",
    "c3vd": "train.benchmark.recordings:open_c3vd",
    "simcol3d": "train.benchmark.recordings:open_simcol3d",
}
"""Kind → "module:attribute" of `(TestSettings) -> LabelledSet`; imported when opened."""


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One picture of any size; every other array is (H, W), and None is not known."""

    image: Image
    """(H, W, 3) RGB."""
    valid: Mask
    """Inside the field of view and labelled: only there anything counts."""
    fold: Mask | None = None
    instances: Labels | None = None
    """Single folds, 0 for none. Of a video, a fold keeps its number."""
    edge: Mask | None = None
    """Near side of folds that occlude."""
    absent: Mask | None = None
    """Known to show no fold; for pictures of which nothing else is known."""
    viewpoint: Viewpoint | None = None
    """Of a video whose geometry is known: what moves a mask to the next frame exactly."""


@runtime_checkable
class LabelledSequence(Protocol):
    """Pictures of one colon or patient, which resemble each other; read when asked for."""

    @property
    def name(self) -> str:
        """Unique in its set."""
        ...

    @property
    def is_video(self) -> bool:
        """Every frame follows the one before at the rate of a camera."""
        ...

    def __len__(self) -> int:
        """Frames."""
        ...

    def __getitem__(self, number: int) -> LabelledFrame:
        """The same every time.

        Raises:
            RecipeError: a file is missing or damaged.
        """
        ...


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """A test set; intervals redraw its sequences."""

    name: str
    sequences: tuple[LabelledSequence, ...]

    def __len__(self) -> int:
        return sum(len(sequence) for sequence in self.sequences)


@dataclass(frozen=True, slots=True)
class TestSettings:
    """One test set of a benchmark."""

    __test__ = False

    name: str
    """What tables call it."""
    kind: str = "simulated"
    folder: str = ""
    split: str = "test"
    """Of simulated sets, FoldIt's folders and polyps."""
    style: str = STORED
    """Of simulated sets: the pictures that they keep, or a look anew."""
    label: str = Label.REGION.value
    """Of simulated sets: what counts as fold."""
    frames: int = 0
    """At most, evenly from all sequences; 0: every one."""
    edges: bool = False
    """Score edges, too, where they are known; slow."""

    @property
    def path(self) -> Path:
        """Of the folder."""
        return Path(self.folder)


def open_test_set(settings: TestSettings) -> LabelledSet:
    """The test set that the settings describe.

    Raises:
        RecipeError: no such kind, or nothing of that kind in the folder.
    """
    if settings.kind not in TEST_SETS:
        raise RecipeError(
            f"There is no kind of test set called {settings.kind!r}.",
            f"Choose one of: {', '.join(TEST_SETS)}.",
        )
    module, attribute = TEST_SETS[settings.kind].split(":")
    opener = getattr(importlib.import_module(module), attribute)
    found = cast(Callable[[TestSettings], LabelledSet], opener)(settings)
    if not len(found):
        raise RecipeError(f"The test set {settings.folder} is empty.", "Name another folder.")
    return found
