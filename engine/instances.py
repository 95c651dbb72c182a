"""From a fold mask to fold instances: threshold, components, split of touching folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import FoldInstance, FoldMask, Labels, Mask, Points, Probability, read_only


@dataclass(frozen=True, slots=True)
class InstanceOptions:
    """Thresholds come from the bundle; areas are in cells of the 256-cell grid."""

    threshold: float = 0.5
    edge_threshold: float = 0.5
    smallest: int = 48
    """Smaller folds are dropped."""
    smallest_core: int = 40
    """A part behind an edge must be this large to be a fold of its own."""


def split_instances(mask: FoldMask, options: InstanceOptions) -> tuple[FoldInstance, ...]:
    """Fold instances of one frame, largest first, untracked."""
    labels = label_folds(mask.probability, mask.edge, options)
    folds = sorted(_instances(labels, mask, options.smallest), key=lambda fold: -fold.area_px)
    return tuple(
        FoldInstance(number, 0, fold.contour, fold.area_px, fold.score, fold.holes)
        for number, fold in enumerate(folds, start=1)
    )


def label_folds(region: Probability, edge: Probability, options: InstanceOptions) -> Labels:
    """Label map (h, w), 0 background.

    An edge is the near side of a depth jump, so it runs between a fold and what stands behind
    it: parts of the region that only touch across an edge are different folds. The cells of the
    edge itself go to the nearest part.
    """
    folds = (region > options.threshold).astype(np.uint8)
    folds = np.asarray(cv2.morphologyEx(folds, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    whole = np.asarray(cv2.connectedComponents(folds, connectivity=8)[1], np.int32)
    cores = (folds & (edge < options.edge_threshold)).astype(np.uint8)
    count, found, stats, _ = cv2.connectedComponentsWithStats(cores, connectivity=4)
    parts = np.asarray(found, np.int32)
    large = stats[:, cv2.CC_STAT_AREA] >= options.smallest_core
    large[0] = False
    parts[~large[parts]] = 0
    # A component without a large core is one fold, edge and all.
    has_core = np.zeros(int(whole.max()) + 1, dtype=bool)
    has_core[whole[parts > 0]] = True
    coreless = (whole > 0) & ~has_core[whole]
    parts[coreless] = count + whole[coreless]
    return _grow_within(parts, whole)


def _grow_within(parts: Labels, whole: Labels) -> Labels:
    """Give every cell of `whole` the nearest part of its own component."""
    missing = (whole > 0) & (parts == 0)
    if not missing.any():
        return parts
    nearest = np.asarray(
        cv2.distanceTransformWithLabels(
            (parts == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )[1]
    )
    known = parts > 0
    name = np.zeros(int(nearest.max()) + 1, np.int32)
    name[nearest[known]] = parts[known]
    component_of = np.zeros(int(parts.max()) + 1, np.int32)
    component_of[parts[known]] = whole[known]
    largest = np.zeros(int(whole.max()) + 1, np.int32)
    sizes = np.bincount(parts.ravel())
    for part in np.argsort(sizes[1:], kind="stable") + 1:
        if sizes[part]:
            largest[component_of[part]] = part
    near = name[nearest]
    own = component_of[near] == whole
    parts[missing] = np.where(own, near, largest[whole])[missing]
    return parts


def _instances(labels: Labels, mask: FoldMask, smallest: int) -> Iterator[FoldInstance]:
    areas = np.bincount(labels.ravel())
    scores = np.bincount(labels.ravel(), weights=mask.probability.ravel())
    for label in np.flatnonzero(areas[1:] >= smallest) + 1:
        outer, holes = _outlines(labels == label, mask)
        if outer is not None:
            yield FoldInstance(
                label=int(label),
                track=0,
                contour=outer,
                area_px=float(areas[label] * mask.placement.area_scale),
                score=float(scores[label] / areas[label]),
                holes=holes,
            )


def _outlines(member: Mask, mask: FoldMask) -> tuple[Points | None, tuple[Points, ...]]:
    """Largest outer outline and the holes in it, in frame pixels."""
    found, tree = cv2.findContours(member.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not found:
        return None, ()
    outer = [i for i, node in enumerate(tree[0]) if node[3] < 0]
    first = max(outer, key=lambda i: len(found[i]))
    inner = [i for i, node in enumerate(tree[0]) if node[3] == first and len(found[i]) >= 12]
    to_frame = mask.placement.points_to_frame
    return (
        read_only(to_frame(smooth_outline(found[first][:, 0]))),
        tuple(read_only(to_frame(smooth_outline(found[i][:, 0]))) for i in inner),
    )


def smooth_outline(points: NDArray[Any]) -> Points:
    """Take the stair steps of the grid out of a closed outline, (n, 2) xy → (about n/2, 2)."""
    outline = points.astype(np.float32)
    if len(outline) < 8:
        return outline
    neighbours = [np.roll(outline, shift, axis=0)[::2] for shift in (-2, -1, 0, 1, 2)]
    return np.asarray(np.mean(neighbours, axis=0), np.float32)
