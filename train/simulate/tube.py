"""A colon as everybody downstream sees it: a closed surface whose vertices know what they are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LOWEST_MM = 0.8
"""A fold tapers off; where it is lower than this it has ended."""


class Segment(Enum):
    """Parts of the colon, from the anus up."""

    RECTUM = "rectum"
    SIGMOID = "sigmoid"
    DESCENDING = "descending"
    TRANSVERSE = "transverse"
    ASCENDING = "ascending"
    CAECUM = "caecum"


@dataclass(frozen=True, slots=True)
class SegmentSpan:
    """Where a segment lies along the centreline."""

    segment: Segment
    first_mm: float
    last_mm: float

    def as_dict(self) -> dict[str, str | float]:
        """As `sequence.json` keeps it."""
        return {
            "name": self.segment.value,
            "first_mm": round(self.first_mm, 1),
            "last_mm": round(self.last_mm, 1),
        }


class Feature(IntEnum):
    """What a vertex is; everything but `NONE` is never a fold."""

    NONE = 0
    """Wall and folds."""
    POLYP = 1
    VALVE = 2
    """Lips of the ileocaecal valve."""
    DIVERTICULUM = 3
    """The pouch and the rim of its mouth."""
    FLUID = 4
    """Surface of a pool."""
    APPENDIX = 5
    """Its orifice in the caecal pole."""


@dataclass(frozen=True, slots=True)
class AnalyticFolds:
    """What the generator knows of every vertex, all (n,): the truth labels are held against."""

    arc: NDArray[np.int64]
    """The semilunar arc that shapes the wall here, 1, 2, ...; 0 for none."""
    crest_mm: Floats
    """How high that arc stands at this place along its crest."""
    share: Floats
    """Height here as a part of `crest_mm`: 1 on the crest, falling to 0 on the flanks."""
    height_mm: Floats
    """How far the wall stands out from the haustra on both sides: the arc, and the crease it
    stands in."""

    @classmethod
    def none(cls, count: int) -> AnalyticFolds:
        """No fold on any of `count` vertices."""
        return cls(np.zeros(count, np.int64), *(np.zeros(count) for _ in range(3)))

    def region(self, share: float, crest_mm: float = LOWEST_MM) -> NDArray[np.int64]:
        """Arc number (n,) where at least `share` of a crest of `crest_mm` or more is reached."""
        return np.where((self.share >= share) & (self.crest_mm >= crest_mm), self.arc, 0)

    def extended(self, count: int) -> AnalyticFolds:
        """With `count` more vertices that belong to no fold."""
        more = AnalyticFolds.none(count)
        return AnalyticFolds(
            np.concatenate([self.arc, more.arc]),
            np.concatenate([self.crest_mm, more.crest_mm]),
            np.concatenate([self.share, more.share]),
            np.concatenate([self.height_mm, more.height_mm]),
        )


@dataclass(frozen=True, slots=True)
class Tube:
    """A closed surface around a centreline, faces oriented towards the lumen."""

    vertices: Floats
    """(n, 3) mm."""
    faces: NDArray[np.int64]
    """(m, 3)."""
    centreline: Floats
    """(k, 3) mm, evenly spaced."""
    radius: Floats
    """(k,) mm, of the lumen without folds."""
    feature: NDArray[np.uint8]
    """(n,) values of `Feature`."""
    folds: AnalyticFolds
    """By construction; empty where a mesh came from elsewhere."""
    segments: tuple[SegmentSpan, ...] = ()
    """In order along the centreline; empty where unknown."""

    def is_feature(self, feature: Feature) -> Bools:
        """(n,)."""
        return np.asarray(self.feature == feature)

    @property
    def is_polyp(self) -> Bools:
        """(n,)."""
        return self.is_feature(Feature.POLYP)

    @property
    def is_raised(self) -> Bools:
        """(n,): convex towards the lumen at its rim, as a fold is."""
        return np.asarray(self.is_never_fold & (self.feature != Feature.FLUID))

    @property
    def is_never_fold(self) -> Bools:
        """(n,): raised or rimmed it may be, but it is no haustral fold."""
        return np.asarray(self.feature != Feature.NONE)
