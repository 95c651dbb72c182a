"""From a fold mask to fold instances: threshold, components, split of touching folds, outlines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from engine.types import FoldInstance, FoldMask, Labels, Mask, Points, Probability, read_only

_Cells = NDArray[np.uint8]
_LEVEL_STEP = 1.4
"""From one width at which necks are looked for to the next."""
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


def split_instances(mask: FoldMask, options: InstanceOptions) -> tuple[FoldInstance, ...]:
    """Fold instances of one frame, largest first, untracked."""
    labels = label_folds(mask.probability, mask.edge, options)
    folds = sorted(_instances(labels, mask, options.smallest), key=lambda fold: -fold.area_px)
    return tuple(
        FoldInstance(number, 0, fold.contour, fold.area_px, fold.score, fold.holes)
        for number, fold in enumerate(folds, start=1)
    )


def label_folds(region: Probability, edge: Probability, options: InstanceOptions) -> Labels:
    """Label map (h, w), 0 background, 1, 2, ...: connected regions, touching folds divided."""
    inside = (region > options.threshold).view(np.uint8)
    inside = np.asarray(cv2.morphologyEx(inside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    count, found, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    labels = np.asarray(found, np.int32)
    if count < 2:
        return labels
    ease = straightness(region, edge, options.bend_scale) ** options.bend
    for label, (x, y, width, height, area) in enumerate(stats[1:].tolist(), start=1):
        if area < 2 * options.smallest_core:
            continue
        top, left, bottom, right = y & ~1, x & ~1, y + height, x + width
        box = np.s_[top:bottom, left:right]
        half = np.s_[top // 2 : (bottom + 1) // 2, left // 2 : (right + 1) // 2]
        member = labels[box] == label
        cores = member & (edge[box] < options.edge_threshold)
        parts = divide_touching(member, cores, ease[half], options)
        is_further = parts > 1
        labels[box][is_further] = parts[is_further] + (count - 2)
        count += max(0, int(parts.max()) - 1)
    return labels


def straightness(region: Probability, edge: Probability, scale: float) -> Probability:
    """How much what is around every second cell runs one way, (h / 2, w / 2), 0..1.

    It is the coherence of the structure tensor (Bigun and Granlund 1987): 1 where all slopes of
    fold against edge are parallel, 0 where they point everywhere. A fold runs one way; where two
    of a ring meet, in a corner above a taenia, the slopes turn. Slopes at the end of the field of
    view, where the probability falls to exactly 0, say nothing.
    """
    height = cv2.pyrDown(region) - cv2.pyrDown(edge)
    in_view = cv2.erode((region > 0).view(np.uint8), np.ones((9, 9), np.uint8))[::2, ::2]
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=0.25) * in_view
    y = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=0.25) * in_view
    along, across, size = (
        cv2.GaussianBlur(cv2.pyrDown(product), (0, 0), scale / 4)
        for product in (x * x - y * y, 2 * x * y, x * x + y * y)
    )
    coherence = (cv2.magnitude(along, across) + _FLAT) / (size + _FLAT)
    return np.asarray(cv2.resize(coherence, height.shape[::-1]), np.float32)


def divide_touching(
    member: Mask, cores: Mask, ease: Probability, options: InstanceOptions
) -> Labels:
    """Divide one connected region into folds, (h, w), 0 outside it, 1, 2, ... inside.

    An edge is the near side of a depth jump, so it runs between a fold and what stands behind
    it: parts of a region that only touch across an edge are different folds. So are parts that
    hang together by a narrow neck, where the edge between them has a gap. Every other cell, the
    edge's own included, goes to the nearest part.

    Args:
        member: (h, w) the region.
        cores: (h, w) of it, what is no edge.
        ease: (h / 2, w / 2) what the width of every second cell is multiplied by, 0..1.
        options: what counts as narrow.
    """
    seeds = find_seeds(cores.view(np.uint8), ease, options)
    used = np.flatnonzero(np.bincount(seeds.ravel())[1:]) + 1
    if len(used) < 2:
        return member.astype(np.int32)
    rank = np.zeros(used[-1] + 1, np.uint16)
    rank[used] = np.arange(1, len(used) + 1)
    return grow_within(member, rank[seeds])


def grow_within(member: Mask, labels: NDArray[np.uint16]) -> Labels:
    """Spread labels over a connected region that holds them all, one cell at a time, (h, w)."""
    kernel = np.ones((3, 3), np.uint8)
    missing = member & (labels == 0)
    while missing.any():
        np.copyto(labels, np.asarray(cv2.dilate(labels, kernel), np.uint16), where=missing)
        missing &= labels == 0
    return labels.astype(np.int32)


def find_seeds(cores: _Cells, ease: Probability, options: InstanceOptions) -> Labels:
    """A label on each fold in a binary map, (h, w), 0 elsewhere. Numbers may be left out.

    A seed is a part that is large enough; or, in its place, each of the h-maxima of the logarithm
    of its width times `ease`, if there are several. The logarithm makes the test one
    of shape: a neck counts by its width relative to what it joins. A few levels of width stand
    for all of them, and every second cell for its neighbours: they differ by less than a neck.
    """
    parts = np.asarray(cv2.connectedComponents(cores, connectivity=4)[1], np.int32)
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    seed_of = np.zeros(len(areas), np.int32)
    is_large = areas >= options.smallest_core
    seed_of[is_large] = np.arange(1, np.count_nonzero(is_large) + 1)
    seeds = seed_of[parts]
    framed = cv2.copyMakeBorder(cores, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    reach = np.asarray(cv2.distanceTransform(framed, cv2.DIST_L2, 3))[1:-1:2, 1:-1:2] * ease
    level = options.narrowest_neck / 2
    while level < options.neck * float(reach.max()):
        _divide_at_necks(seeds, reach, level, options.neck)
        level *= _LEVEL_STEP
    return seeds


def _divide_at_necks(seeds: Labels, reach: NDArray[Any], level: float, neck: float) -> None:
    """Replace each seed that falls apart where its half width is below `level`, in place."""
    above, found = cv2.connectedComponents((reach > level).view(np.uint8))
    if above <= 2:
        return
    lobes = np.unique(np.asarray(found)[reach * neck >= level])
    parents = [int(seeds[::2, ::2][found == lobe][0]) for lobe in lobes]
    count = int(seeds.max())
    for parent in {each for each in parents if each and parents.count(each) > 1}:
        is_parent = seeds == parent
        seeds[is_parent] = 0
        for lobe in (lobe for lobe, its in zip(lobes, parents, strict=True) if its == parent):
            wide = (found == lobe).repeat(2, axis=0).repeat(2, axis=1)
            count += 1
            seeds[is_parent & wide[: seeds.shape[0], : seeds.shape[1]]] = count


def _instances(labels: Labels, mask: FoldMask, smallest: int) -> Iterator[FoldInstance]:
    for label, box in enumerate(find_objects(labels), start=1):
        member = labels[box] == label
        area = int(np.count_nonzero(member))
        if area < smallest:
            continue
        corner = np.array([box[1].start, box[0].start], np.float32)
        contour, *holes = (
            read_only(mask.placement.points_to_frame(outline + corner))
            for outline in trace_outlines(member)
        )
        yield FoldInstance(
            label=label,
            track=0,
            contour=contour,
            area_px=area * mask.placement.area_scale,
            score=float(mask.probability[box][member].mean()),
            holes=tuple(holes),
        )


def trace_outlines(member: Mask) -> list[Points]:
    """Smooth outlines of a fold's cells, (n, 2) xy: the largest outer one, then its holes."""
    found, tree = cv2.findContours(member.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = [i for i, node in enumerate(tree[0]) if node[3] < 0]
    first = max(outer, key=lambda i: len(found[i]))
    holes = [i for i, node in enumerate(tree[0]) if node[3] == first and len(found[i]) >= 12]
    return [smooth_outline(found[i][:, 0]) for i in (first, *holes)]


def smooth_outline(points: NDArray[Any]) -> Points:
    """Take the stair steps of the grid out of a closed outline, (n, 2) xy → (about n/2, 2).

    The points are centres of the outermost cells, in OpenCV's order (the fold on the left of an
    observer who sees y grow downwards); the smooth outline runs along those cells' outer side.
    """
    outline = points.astype(np.float32)
    if len(outline) < 8:
        return outline
    wrapped = np.concatenate([outline[-4:], outline, outline[:4]])
    smooth = (wrapped[:-4] + wrapped[1:-3] + wrapped[2:-2] + wrapped[3:-1] + wrapped[4:]) / 5
    along = (smooth[4:] - smooth[:-4])[::2]
    length = np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-6)
    outwards = np.stack([-along[:, 1], along[:, 0]], axis=1) / length
    return np.asarray(smooth[2:-2:2] + 0.5 * outwards, np.float32)
