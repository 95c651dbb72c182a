"""Labels of one view, from what its pixels meet: which are fold, which edge, and of which fold."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.dataset import Flag
from train.simulate.rays import (
    Bools,
    OcclusionOptions,
    occluding_band,
    occluding_edge,
    widen,
)
from train.simulate.tube import Feature

_INSTANCE_REACH_MM = 6.0
"""A band pixel belongs to a crest this near, or to no fold by name."""


def annotate(
    distance: NDArray[np.float32],
    crest: NDArray[np.uint16],
    feature: NDArray[np.uint8],
    camera: Camera,
    options: OcclusionOptions = OcclusionOptions(),  # noqa: B008
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Flags and instances of one view, both (H, W).

    The region label is the curvature crest joined with the band along occluding edges, without
    what `feature` names. A band belongs to the crest nearest to it; far from every crest it is no
    fold.
    """
    valid, never = distance > 0, feature != Feature.NONE
    on_crest = (crest > 0) & valid
    edge = occluding_edge(distance, options) & ~never
    edge &= ~short_edges(edge, on_crest, distance, camera, options.shortest_edge_mm)
    band = occluding_band(distance, camera, edge, options, skip=on_crest | never)
    band &= ~never & valid
    instances, gap_mm = nearest_fold(distance, crest, band, camera)
    band &= gap_mm <= options.crest_within_mm
    fold = on_crest | band
    edge = widen(edge & fold, fold, options.edge_px)
    flags = (
        fold * np.uint8(Flag.FOLD)
        | edge * np.uint8(Flag.EDGE)
        | on_crest * np.uint8(Flag.CREST)
        | (feature == Feature.POLYP) * np.uint8(Flag.POLYP)
        | (feature == Feature.FLUID) * np.uint8(Flag.FLUID)
        | (feature == Feature.VALVE) * np.uint8(Flag.VALVE)
        | valid * np.uint8(Flag.VALID)
    ).astype(np.uint8)
    return flags, np.where(band & (gap_mm > _INSTANCE_REACH_MM), 0, instances * fold)


def short_edges(
    edge: Bools,
    on_crest: Bools,
    distance: NDArray[np.float32],
    camera: Camera,
    shortest_mm: float,
) -> Bools:
    """Connected edges (H, W) that touch no crest and span less than `shortest_mm` in space."""
    if shortest_mm <= 0 or not edge.any():
        return np.zeros_like(edge)
    count, labels = cv2.connectedComponents(edge.view(np.uint8), connectivity=8)
    members = np.asarray(labels[edge], np.int64)
    points = camera.rays()[edge] * distance[edge][:, None]
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, members, points)
    np.maximum.at(high, members, points)
    is_short = np.zeros(count, dtype=bool)
    is_short[1:] = np.linalg.norm(high[1:] - low[1:], axis=1) < shortest_mm
    is_short[np.unique(labels[edge & on_crest])] = False
    return np.asarray(is_short[labels] & edge)


def nearest_fold(
    distance: NDArray[np.float32], crest: NDArray[np.uint16], band: Bools, camera: Camera
) -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Fold of the nearest crest in the picture and how far it is in space, both (H, W).

    Filled on the crest (0 mm) and where `band`; elsewhere 0 and infinity.
    """
    named = crest.copy()
    gap_mm = np.where(crest > 0, 0, np.inf).astype(np.float32)
    if not band.any() or not (crest > 0).any():
        return named, gap_mm
    nearest = cv2.distanceTransformWithLabels(
        (crest == 0).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    pixel_of = np.zeros(int(nearest.max()) + 1, np.int64)
    members = np.flatnonzero(crest)
    pixel_of[nearest.ravel()[members]] = members
    from_pixel = np.flatnonzero(band)
    to_pixel = pixel_of[nearest.ravel()[from_pixel]]
    rays, far = camera.rays().reshape(-1, 3), distance.ravel()
    gap = rays[from_pixel] * far[from_pixel, None] - rays[to_pixel] * far[to_pixel, None]
    named.ravel()[from_pixel] = crest.ravel()[to_pixel]
    gap_mm.ravel()[from_pixel] = np.sqrt(np.einsum("nc,nc->n", gap, gap))
    return named, gap_mm
