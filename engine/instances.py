"""From a fold mask to fold instances: threshold, components, split, join, outlines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.joining import Colours, JoiningOptions, join_interrupted
from engine.preprocess import Placement
from engine.types import (
    FoldInstance,
    FoldMask,
    Image,
    Labels,
    Mask,
    Points,
    Probability,
    read_only,
)

_Cells = NDArray[np.uint8]
_Numbers = NDArray[np.uint16]
_Rim = NDArray[np.int32]
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_AROUND = np.ones((9, 9), np.uint8)
_LEVEL_STEP = 1.4
"""From one width at which necks are looked for to the next."""
_SMALLEST_RIM = 12
"""In cells: further rims shorter than this are left out."""
_FLAT = 0.0005
"""Squared slope per cell below which nothing points anywhere, and nothing bends."""


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """The first threshold comes from the bundle; areas and widths are in cells of the grid."""

    threshold: float = 0.5
    edge_threshold: float = 0.3
    """What is more surely edge than this may lie between two folds: less certainty than the best
    mask of the edge asks for, because one gap joins two folds."""
    smallest: int = 48
    """Smaller folds are dropped."""
    smallest_core: int = 80
    """A part behind an edge must be this large to be a fold of its own."""
    neck: float = 0.5
    """Two parts are two folds where the way between them narrows to less than this share of the
    narrower one's width: there the edge between them has a gap. Bends narrow a way, too."""
    narrowest_neck: float = 1.6
    """No neck is looked for where a fold would have to be narrower than this."""
    bend: float = 4.0
    """A way narrows by this power of its straightness."""
    bend_scale: float = 10.0
    """In cells: straightness is that of a neighbourhood of this radius, one sigma."""
    joining: JoiningOptions | None = field(default_factory=JoiningOptions)
    """When pieces are one fold that something interrupts; None: never."""


def split_instances(mask: FoldMask, options: InstanceOptions) -> tuple[FoldInstance, ...]:
    """Fold instances of one frame, largest first, untracked."""

    def colours(cells: Points) -> Image:
        x, y = np.rint(mask.placement.points_to_frame(cells)).astype(np.intp).T
        height, width = mask.frame.image.shape[:2]
        seen = mask.frame.image[y.clip(0, height - 1), x.clip(0, width - 1)]
        return np.asarray(seen)

    labels = label_folds(mask.probability, mask.edge, options, colours)
    found = _measured(labels, mask.probability, options.smallest)
    found.sort(key=lambda fold: -fold.area)
    contours = iter(_on_frame([rim for fold in found for rim in fold.rims], mask.placement))
    return tuple(
        FoldInstance(
            label=number,
            track=0,
            contour=next(contours),
            area_px=fold.area * mask.placement.area_scale,
            score=fold.score,
            parts=tuple(next(contours) for _ in fold.rims[1 : fold.parts]),
            holes=tuple(next(contours) for _ in fold.rims[fold.parts :]),
        )
        for number, fold in enumerate(found, start=1)
    )


def _on_frame(rims: Sequence[_Rim], placement: Placement) -> list[Points]:
    """Smooth outlines in frame pixels."""
    lines = smooth_outlines(rims)
    if not lines:
        return []
    points = read_only(placement.points_to_frame(np.concatenate(lines)))
    ends = itertools.accumulate(len(line) for line in lines)
    return [points[end - len(line) : end] for line, end in zip(lines, ends, strict=True)]


def label_folds(
    region: Probability,
    edge: Probability,
    options: InstanceOptions,
    colours: Colours | None = None,
) -> Labels:
    """Label map (h, w), 0 background: connected regions, touching folds divided, broken ones one.

    Regions smaller than `options.smallest` are background. Numbers may be left out. What
    interrupts a fold for long is told by the `colours` of the picture at cells of the grid.
    """
    labels = _divided(region, edge, options)
    if options.joining is None:
        return labels
    return join_interrupted(labels, edge, options.joining, colours)


def _divided(region: Probability, edge: Probability, options: InstanceOptions) -> Labels:
    """Label map (h, w): connected regions, touching folds divided."""
    inside = (region > options.threshold).view(np.uint8)
    inside = np.asarray(cv2.morphologyEx(inside, cv2.MORPH_OPEN, _NEIGHBOURS), np.uint8)
    rims = _rims(inside)
    sizes = [_cells_within(rim) for rim in rims]
    _clear(inside, [rim for rim, size in zip(rims, sizes, strict=True) if size < options.smallest])
    labels = np.asarray(cv2.connectedComponents(inside, ltype=cv2.CV_16U)[1], np.uint16)
    undivided = 2 * options.smallest_core
    _clear(inside, [rim for rim, size in zip(rims, sizes, strict=True) if size < undivided])
    x, y, width, height = cv2.boundingRect(inside)
    if width:
        top, left, bottom, right = y & ~1, x & ~1, y + height, x + width
        box = np.s_[top:bottom, left:right]
        half = np.s_[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2]
        straight = straightness(region, edge, options.bend_scale)[half]
        ease = np.asarray(cv2.pow(straight, options.bend), np.float32)
        cores = inside[box] & (edge[box] < options.edge_threshold)
        labels[box] = divide_touching(labels[box], cores.view(np.bool_), ease, options)
    return labels.astype(np.int32)


def _rims(inside: _Cells) -> list[_Rim]:
    """The outer rims of all regions, (n, 2) xy cells each."""
    found, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [np.asarray(rim, np.int32)[:, 0] for rim in found]


def _cells_within(rim: _Rim) -> float:
    """How many cells a rim encloses, itself included: Pick's theorem for the cells' centres."""
    return cv2.contourArea(rim) + len(rim) / 2 + 1


def _clear(inside: _Cells, rims: Sequence[_Rim]) -> None:
    """Clear what lies within, in place."""
    for rim in rims:
        cv2.fillPoly(inside, [rim], 0)


def straightness(region: Probability, edge: Probability, scale: float) -> Probability:
    """How much what is around every second cell runs one way, (h / 2, w / 2), 0..1.

    It is the coherence of the structure tensor (Bigun and Granlund 1987): 1 where all slopes of
    fold against edge are parallel, 0 where they point everywhere. A fold runs one way; where two
    of a ring meet, in a corner above a taenia, the slopes turn. Slopes at the end of the field of
    view, where the probability falls to exactly 0, say nothing.
    """
    height = cv2.pyrDown(cv2.subtract(region, edge))
    in_view = cv2.erode((region > 0).view(np.uint8), _AROUND)[::2, ::2].astype(np.float32)
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.25) * in_view
    y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.25) * in_view
    along, across, size = (
        cv2.GaussianBlur(cv2.pyrDown(product), (0, 0), scale / 4)
        for product in (x * x - y * y, 2 * x * y, x * x + y * y)
    )
    coherence = (cv2.magnitude(along, across) + _FLAT) / (size + _FLAT)
    return np.asarray(cv2.resize(coherence, height.shape[::-1]), np.float32)


def divide_touching(
    regions: _Numbers, cores: Mask, ease: Probability, options: InstanceOptions
) -> _Numbers:
    """Divide connected regions into folds: the same map, with further numbers.

    An edge is the near side of a depth jump, so it runs between a fold and what stands behind
    it: parts of a region that only touch across an edge are different folds. So are parts that
    hang together by a narrow neck, where the edge between them has a gap. Every other cell, the
    edge's own included, goes to the nearest part.

    Args:
        regions: (h, w) their numbers, 0 for none.
        cores: (h, w) what of them is no edge.
        ease: (h / 2, w / 2) what the width of every second cell is multiplied by, 0..1.
        options: what counts as narrow.
    """
    seeds = find_seeds(cores.view(np.uint8), ease, options)
    sampled = regions[::2, ::2]
    region_of = np.zeros(int(seeds.max()) + 1, np.uint16)
    is_seed = seeds > 0
    region_of[seeds[is_seed]] = sampled[is_seed]
    is_divided = np.bincount(region_of, minlength=int(regions.max()) + 1) > 1
    is_divided[0] = False
    if not is_divided.any():
        return regions
    grown = grow_within(is_divided.take(sampled), _numbered(region_of, is_divided).take(seeds))
    member: Mask = np.zeros(regions.shape, np.bool_)
    for region in np.flatnonzero(is_divided).tolist():
        member |= regions == region
    height, width = member.shape
    labels = _doubled(grown)[:height, :width] * member
    return np.where(member, grow_within(member, labels), regions)


def _numbered(region_of: _Numbers, is_divided: Mask) -> _Numbers:
    """The number of each seed: the first in a divided region keeps that region's."""
    number_of = np.zeros(len(region_of), np.uint16)
    last = len(is_divided) - 1
    for region in np.flatnonzero(is_divided).tolist():
        first, *further = np.flatnonzero(region_of == region).tolist()
        number_of[first] = region
        number_of[further] = range(last + 1, last + 1 + len(further))
        last += len(further)
    return number_of


def _doubled(labels: _Numbers) -> _Numbers:
    """Every cell as two by two: its number twice in a word, and each row twice."""
    words = labels.astype(np.uint32) * np.uint32(0x10001)
    return np.repeat(words.view(np.uint16), 2, axis=0)


def grow_within(member: Mask, labels: _Numbers) -> _Numbers:
    """Spread labels over connected regions that each hold some, one cell at a time, in place."""
    missing = (member & (labels == 0)).view(np.uint8)
    left, before = cv2.countNonZero(missing), -1
    while left not in (0, before):
        x, y, width, height = cv2.boundingRect(missing)
        box = np.s_[max(0, y - 1) : y + height + 1, max(0, x - 1) : x + width + 1]
        here, asked = labels[box], missing[box]
        np.copyto(here, np.asarray(cv2.dilate(here, _NEIGHBOURS)), where=asked.view(np.bool_))
        asked &= here == 0
        left, before = cv2.countNonZero(asked), left
    return labels


def find_seeds(cores: _Cells, ease: Probability, options: InstanceOptions) -> _Numbers:
    """A number on each fold in a binary map (h, w), 0 elsewhere; for every second cell.

    A seed is a part that is large enough; or, in its place, each of the h-maxima of the logarithm
    of its width times `ease`, if there are several. The logarithm makes the test one
    of shape: a neck counts by its width relative to what it joins. A few levels of width stand
    for all of them, and every second cell for its neighbours: they differ by less than a neck.

    Returns:
        (h / 2, w / 2), some numbers left out.
    """
    found = cv2.connectedComponents(cores, connectivity=4, ltype=cv2.CV_16U)[1]
    parts = np.asarray(found, np.uint16)[::2, ::2]
    is_seed = 4 * np.bincount(parts.ravel()) >= options.smallest_core
    is_seed[0] = False
    seeds = (np.cumsum(is_seed, dtype=np.uint16) * is_seed).take(parts)
    framed = cv2.copyMakeBorder(cores, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    reach = np.asarray(cv2.distanceTransform(framed, cv2.DIST_L2, 3))[1:-1:2, 1:-1:2] * ease
    level = options.narrowest_neck / 2
    while level < options.neck * float(reach.max()):
        _divide_at_necks(seeds, reach, level, options.neck)
        level *= _LEVEL_STEP
    return seeds


def _divide_at_necks(seeds: _Numbers, reach: Probability, level: float, neck: float) -> None:
    """Replace each seed that falls apart where its half width is below `level`, in place."""
    above, labels = cv2.connectedComponents((reach > level).view(np.uint8), ltype=cv2.CV_16U)
    found, is_wide = np.asarray(labels, np.uint16), reach * neck >= level
    seed_of = np.zeros(above, np.uint16)
    seed_of[found[is_wide]] = seeds[is_wide]
    last = int(seeds.max())
    for seed in np.flatnonzero(np.bincount(seed_of) > 1).tolist():
        if seed == 0:
            continue
        is_seed = seeds == seed
        seeds[is_seed] = 0
        for lobe in np.flatnonzero(seed_of == seed).tolist():
            last += 1
            seeds[is_seed & (found == lobe)] = last


@dataclass(frozen=True, slots=True)
class _Measured:
    """A fold on the grid."""

    rims: list[_Rim]
    """(n, 2) xy cells on the rim: the outer ones, largest first, then those of its holes."""
    parts: int
    """How many outer ones."""
    area: int
    score: float


def _measured(labels: Labels, probability: Probability, smallest: int) -> list[_Measured]:
    """The folds of a label map that are not too small."""
    folds = []
    for label in range(1, int(labels.max()) + 1):
        member = (labels == label).view(np.uint8)
        x, y, width, height = cv2.boundingRect(member)
        box = np.s_[y : y + height, x : x + width]
        member = member[box]
        area = cv2.countNonZero(member)
        if area >= smallest:
            total = float(cv2.sumElems(probability[box] * member)[0])
            outer, holes = _trace(member, (x, y))
            folds.append(_Measured([*outer, *holes], len(outer), area, total / area))
    return folds


def trace_outlines(member: Mask) -> list[Points]:
    """Smooth outlines of a fold's cells, (n, 2) xy: the outer ones, largest first, then holes."""
    outer, holes = _trace(member.view(np.uint8))
    return smooth_outlines([*outer, *holes])


def _trace(member: _Cells, offset: tuple[int, int] = (0, 0)) -> tuple[list[_Rim], list[_Rim]]:
    """The rims of a fold's cells: the outer ones, largest first, and those of its holes.

    Tiny ones are left out.
    """
    found, tree = cv2.findContours(member, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=offset)
    rims = [np.asarray(rim, np.int32)[:, 0] for rim in found]
    outer = [rim for rim, node in zip(rims, tree[0], strict=True) if node[3] < 0]
    holes = [rim for rim, node in zip(rims, tree[0], strict=True) if node[3] >= 0]
    first, *further = sorted(outer, key=len, reverse=True)
    return [first, *_large(further)], _large(holes)


def _large(rims: Sequence[_Rim]) -> list[_Rim]:
    return [rim for rim in rims if len(rim) >= _SMALLEST_RIM]


def smooth_outlines(rims: Sequence[_Rim]) -> list[Points]:
    """Take the stair steps of the grid out of closed outlines, (n, 2) xy → (about n/2, 2) each.

    The points are centres of the outermost cells, in OpenCV's order (the fold on the left of an
    observer who sees y grow downwards); the smooth outline runs along those cells' outer side.
    Outlines are taken together, since each step costs as much for one as for all.
    """
    if not rims:
        return []
    # Each begins with its last four points once more and ends with its first four.
    wrapped = np.concatenate(
        [piece for rim in rims for piece in (rim[-4:], rim, rim[:4])], dtype=np.float32
    )
    smooth = np.asarray(cv2.blur(wrapped.T, (5, 1)), np.float32)[:, 2:-2]
    x, y = smooth[:, 4:] - smooth[:, :-4]
    length = np.maximum(np.hypot(x, y), np.float32(1e-6))
    moved = (smooth[:, 2:-2] + np.stack([-y, x]) / (2 * length)).T
    taken = [len(rim) + 2 * min(4, len(rim)) for rim in rims]
    starts = itertools.accumulate(taken[:-1], initial=0)
    return [
        moved[start : start + len(rim) : 2] if len(rim) >= 8 else rim.astype(np.float32)
        for start, rim in zip(starts, rims, strict=True)
    ]
