"""How a translator translates, beside what it keeps: does it flicker, and do its styles differ?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from train.simulate.appearance import Rendering
from train.translation.judges import Scene
from train.translation.painter import Painter
from train.translation.steadiness import Pair, flickers

MANNERS = ("flicker", "variety")
"""Grey levels: of a video, what does not move with the wall (0 is best); between two styles."""
_STYLED = 32
"""Scenes that are shown in two styles."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Manner:
    """One of `MANNERS`, of all runs that have it."""

    values: Mapping[str, Floats]
    """Run → (n,); NaN where unknown."""
    groups: Sequence[str]
    """(n,) sequences."""


def manners(
    painters: Mapping[str, Painter], scenes: Sequence[Scene], video: Sequence[Pair], seed: int
) -> dict[str, Manner]:
    """All that can be told: without pairs of a video there is no flicker."""
    step = max(1, -(-len(scenes) // _STYLED))
    shown = scenes[::step]
    renderings = [scene.rendering for scene in shown]
    varied = {run: variety(painter, renderings, seed) for run, painter in painters.items()}
    found = {"variety": Manner(
        {run: values for run, values in varied.items() if values is not None},
        [scene.sequence for scene in shown],
    )}  # fmt: skip
    if video:
        steady = {run: flickers(painter, video) for run, painter in painters.items()}
        found["flicker"] = Manner(steady, [pair.sequence for pair in video])
    return found


def variety(painter: Painter, renderings: Sequence[Rendering], seed: int) -> Floats | None:
    """(n,) mean difference in grey levels of each picture in two styles drawn at random.

    Over what is seen; None where the translator knows one style only.
    """
    one, other = (painter.styles(len(renderings), [seed, number]) for number in (1, 2))
    if one is None or other is None:
        return None
    apart = painter(renderings, one).astype(np.float64) - painter(renderings, other)
    return np.array([
        np.abs(each[shown.valid]).mean() if shown.valid.any() else np.nan
        for each, shown in zip(apart, renderings, strict=True)
    ])  # fmt: skip
