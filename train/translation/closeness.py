"""How near translated pictures come to real ones that no translator has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import SourceNotFoundError
from engine.types import Image
from train.likeness import frechet_distance, kernel_distance
from train.metrics import Interval
from train.pictures import (
    YARDSTICKS,
    DeepFeatures,
    block_of,
    draw_frames,
    place_picture,
    real_pictures,
    yardstick_frames,
)
from train.real import Half, RealFrame, views
from train.translation.folders import real_folder

SEEN, UNSEEN = "real, seen in training", "real, unseen"
_GRID_PX = 32
"""Sides of pictures that the encoder takes are multiples of it."""
_FEWEST, _MOST = 8, 300
"""Pictures of each real set."""

Distances = Mapping[str, tuple[Interval, Interval]]
"""Real set → KID, FID."""


@dataclass(frozen=True, slots=True)
class Closeness:
    """Distances of every row to every real set."""

    distances: Mapping[str, Distances]
    counts: Mapping[str, int]
    """Pictures of each real set."""
    neighbours: Mapping[str, NDArray[np.int64]]
    """Row → (n,) the unseen real picture with the most similar features."""
    unseen: Image
    """(m, S, S, 3); none without real pictures."""


NOTHING = Closeness({}, {}, {}, np.empty((0, 1, 1, 3), np.uint8))


def closeness(
    rows: Mapping[str, Image], colons: NDArray[np.int64], real: Path, seed: int
) -> Closeness:
    """Compare rows of pictures (n, H, W, 3) of colons (n,) with real pictures.

    Raises:
        SourceNotFoundError: too few real pictures.
    """
    size = max(1, round(next(iter(rows.values())).shape[1] / _GRID_PX)) * _GRID_PX
    encode = DeepFeatures()
    sets = {
        name: real_pictures(name, frames, size) for name, frames in _real_sets(real, seed).items()
    }
    features = {name: (encode(each.images, name), each.blocks) for name, each in sets.items()}
    seen = {name: features.pop(name) for name in (SEEN,) if name in features}
    placed = {name: np.stack([place_picture(image, size)[0] for image in images])
              for name, images in rows.items()}  # fmt: skip
    found = {name: (encode(images, name), colons) for name, images in placed.items()}
    return Closeness(
        {name: {other: (kernel_distance(each, theirs).measured, frechet_distance(each, theirs))
                for other, theirs in features.items()}
         for name, each in {**found, **seen}.items()},
        {name: len(sets[name]) for name in features},
        {name: _nearest(each[0], features[UNSEEN][0]) for name, each in found.items()},
        sets[UNSEEN].images,
    )  # fmt: skip


def _real_sets(real: Path, seed: int) -> dict[str, list[RealFrame]]:
    """What no translator has seen, other hospitals, and what it may have seen.

    A folder of unknown origin counts as unseen.
    """
    rng = np.random.default_rng(seed)
    known = views(real, Half.TEST)
    sets: dict[str, Sequence[RealFrame]] = {UNSEEN: known or real_folder(real)}
    sets |= {name: yardstick_frames(real, folder) for name, folder in YARDSTICKS.items()}
    if known:
        sets[SEEN] = views(real, Half.TRAINING)
    drawn = {name: draw_frames(frames, _MOST, rng) for name, frames in sets.items()}
    if not _is_enough(drawn[UNSEEN]):
        raise SourceNotFoundError(
            f"{real} holds fewer than {_FEWEST} unseen real pictures, or all are of one sequence.",
            "Name a larger folder.",
        )
    return {name: frames for name, frames in drawn.items() if _is_enough(frames)}


def _is_enough(frames: Sequence[RealFrame]) -> bool:
    """For a distance with an interval, which draws whole sequences."""
    return len(frames) >= _FEWEST and len({block_of(each.path) for each in frames}) > 1


def _nearest(features: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) index of the other with the largest cosine."""
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (features, others))
    return np.asarray((one @ other.T).argmax(1), np.int64)
