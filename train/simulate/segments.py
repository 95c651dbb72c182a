"""Adult ranges of every segment of the colon, where they come from, and one draw from them.

L, literature; M, measured by `train.simulate.morphometry` on colons segmented from CT (CT-A,
CT-B, VR-Caps; the table is in `docs/science.md`); C, chosen so that the draws cover what L and M
leave open.

* Length. L: whole colon 1503 ± 185 mm, 1097 to 1959 (Utano et al. 2021, CT colonography, n = 295);
  1895 ± 263 mm (Khashab et al. 2009, n = 505); rectum 120 to 180, sigmoid about 400 (Cha 2018);
  ascending 200 to 250, descending 100 to 150 and more, caecum 60 (SEER training, NCI); transverse
  longest. M: 1280 to 1500 mm.
* Radius. L: caecum up to 45 mm, transverse up to 30, descending and sigmoid 20 to 25, the narrowest
  (radiology textbooks); rectum wider than the sigmoid. M: median 17 to 25, 5 to 95 % 11 to 38.
* Fold height. L: ascending 14.6 ± 5.5 mm, transverse 9.5 ± 3.7, descending 6.5 ± 3.1 (Thompson
  et al. 2016, CT colonography, 2079 folds). M: median 5 to 10 over the whole colon; 3 to 14 for
  nine folds in ten.
* Fold spacing along a sector of the clock. M: median 36 to 39 mm, quarter below 16 to 26; shallow
  folds escape CT, so C: somewhat denser. L: circular muscle gathers every 10 to 20 mm (Dorland).
* Fold width at half height. M: median 5 to 7 mm on meshes smoothed by voxels of a millimetre;
  C: from 3.2, as folds in video are thinner than that.
* Span. L: semilunar folds take a third to two thirds of the circumference (textbooks).
* Taeniae. L: three bands 10 mm wide, most prominent in ascending and transverse colon, fading in
  the lower sigmoid and absent in the rectum, whose wall they form together; they converge at the
  appendix (textbooks of CT colonography). Triangular lumen: transverse.
* Rectum. L: three transverse folds (Houston), some 12 mm high, about 50, 80 and 110 mm above the
  anus, on alternating sides (Gray 1918; Stedman).
* Diverticula. L: 5 to 10 mm wide, mostly sigmoid, none in the rectum; 10 to 30 % of people at 50,
  30 to 60 % at 80 (Lefere et al. 2003).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from scipy.ndimage import gaussian_filter1d

from train.simulate.tube import Floats, Segment, SegmentSpan

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SegmentRanges:
    """Between what values one segment of an adult is drawn. Lengths in mm."""

    length: Range
    radius: Range
    """Of the lumen without folds."""
    fold_spacing: Range
    """Along the colon, mean."""
    fold_height: Range
    """Of the tallest folds."""
    fold_width: Range
    """At half the height."""
    fold_span: Range
    """Part of the circumference."""
    alignment: Range
    """Chance that the folds of the three sectors stand at the same place (a ring)."""
    triangularity: Range
    sacculation: Range
    """How far haustra bulge, as a part of the radius."""
    flat_share: Range
    """Share of the length that has hardly any folds."""
    taenia: Range
    """How far the bands stand out."""
    diverticula: Range
    """Per 100 mm, in a colon that has any."""


_SPAN = (0.33, 0.67)
RANGES: dict[Segment, SegmentRanges] = {
    Segment.RECTUM: SegmentRanges(
        length=(125, 170), radius=(20, 29), fold_spacing=(30, 45), fold_height=(8, 13),
        fold_width=(4.0, 7.0), fold_span=(0.4, 0.55), alignment=(0, 0.1), triangularity=(0, 0.04),
        sacculation=(0, 0.03), flat_share=(1, 1), taenia=(0, 0), diverticula=(0, 0),
    ),
    Segment.SIGMOID: SegmentRanges(
        length=(260, 480), radius=(15, 23), fold_spacing=(15, 37), fold_height=(4, 9.5),
        fold_width=(3.6, 7.0), fold_span=_SPAN, alignment=(0.2, 0.9), triangularity=(0, 0.10),
        sacculation=(0.02, 0.08), flat_share=(0, 0.4), taenia=(0, 0.5), diverticula=(1, 6),
    ),
    Segment.DESCENDING: SegmentRanges(
        length=(180, 290), radius=(15, 24), fold_spacing=(18, 41), fold_height=(4, 9.5),
        fold_width=(3.4, 6.6), fold_span=_SPAN, alignment=(0.1, 0.9), triangularity=(0, 0.14),
        sacculation=(0.02, 0.09), flat_share=(0, 0.5), taenia=(0.1, 0.8), diverticula=(0, 2.5),
    ),
    Segment.TRANSVERSE: SegmentRanges(
        length=(380, 580), radius=(18, 28), fold_spacing=(20, 42), fold_height=(5, 11.5),
        fold_width=(3.2, 6.0), fold_span=(0.33, 0.5), alignment=(0.5, 1.0),
        triangularity=(0.08, 0.26), sacculation=(0.03, 0.11), flat_share=(0, 0.3),
        taenia=(0.3, 1.2), diverticula=(0, 0.6),
    ),
    Segment.ASCENDING: SegmentRanges(
        length=(150, 230), radius=(20, 31), fold_spacing=(22, 44), fold_height=(6, 15),
        fold_width=(3.4, 6.6), fold_span=_SPAN, alignment=(0.2, 0.9), triangularity=(0.04, 0.2),
        sacculation=(0.03, 0.12), flat_share=(0, 0.3), taenia=(0.3, 1.2), diverticula=(0, 1.5),
    ),
    Segment.CAECUM: SegmentRanges(
        length=(55, 80), radius=(24, 34), fold_spacing=(19, 34), fold_height=(4.5, 11),
        fold_width=(3.6, 7.0), fold_span=_SPAN, alignment=(0.1, 0.6), triangularity=(0.02, 0.12),
        sacculation=(0.03, 0.10), flat_share=(0, 0.4), taenia=(0.4, 1.4), diverticula=(0, 0.8),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SegmentShape:
    """One draw from `SegmentRanges`; units as there."""

    length: float
    radius: float
    fold_spacing: float
    fold_height: float
    fold_width: float
    fold_span: float
    alignment: float
    triangularity: float
    sacculation: float
    flat_share: float
    taenia: float
    diverticula: float

    @classmethod
    def draw(cls, rng: np.random.Generator, ranges: SegmentRanges, wide: bool) -> SegmentShape:
        """A segment; of a `wide` colon more distended, its folds lower, thicker and fewer."""
        value = {each.name: rng.uniform(*getattr(ranges, each.name)) for each in fields(ranges)}
        if wide:
            value["radius"] *= 1.18
            value["fold_height"] *= 0.75
            value["fold_width"] *= 1.2
            value["flat_share"] = min(1.0, value["flat_share"] + 0.2)
        return cls(**value)


SEGMENTS = tuple(Segment)
_BLEND_MM = 15.0
_GRID_MM = 2.0


class Profile:
    """The values of all segments along the centreline, blended where two segments meet."""

    def __init__(self, shapes: tuple[SegmentShape, ...], spans: tuple[SegmentSpan, ...]) -> None:
        self.spans = spans
        self._grid = np.arange(0.0, spans[-1].last_mm + _GRID_MM, _GRID_MM)
        ends = np.array([span.last_mm for span in spans[:-1]])
        self._number = np.searchsorted(ends, self._grid)
        self._shapes = shapes

    def of(self, name: str, s: Floats) -> Floats:
        """Values (n,) of one field of `SegmentShape` at arcs s (n,) mm."""
        values = np.array([getattr(shape, name) for shape in self._shapes])[self._number]
        smooth = gaussian_filter1d(values, _BLEND_MM / _GRID_MM, mode="nearest")
        return np.asarray(np.interp(s, self._grid, smooth))

    def at(self, name: str, s: float) -> float:
        """The value at one arc."""
        return float(self.of(name, np.array([s]))[0])

    def is_within(self, segment: Segment, s: Floats) -> Floats:
        """(n,) 0..1: how much a place belongs to a segment."""
        values = np.array([float(each is segment) for each in SEGMENTS])[self._number]
        return np.asarray(np.interp(s, self._grid, gaussian_filter1d(values, 3.0, mode="nearest")))

    def span(self, segment: Segment) -> SegmentSpan:
        """Of one segment."""
        return self.spans[SEGMENTS.index(segment)]
