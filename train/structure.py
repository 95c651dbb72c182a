"""How much of a scene's structure is left in a picture: outlines, edges, surfaces.

One measure, one function; arrays are (H, W), `valid` says which pixels count. All are measured
against the simulator's exact truth.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from engine.types import Image, Mask

Floats = NDArray[np.float64]

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_SMOOTHING_PX = 1.0
"""Deviation of the blur before gradients are taken: noise is no edge."""
_RIM_PX = 3
"""Beside the border of what is valid a gradient says nothing of the scene."""


def boundary(mask: Mask, valid: Mask) -> Mask:
    """Pixels of a mask that touch (by a side) a valid pixel outside it.

    Where a mask ends because the view ends is no boundary.
    """
    outside = (valid & ~mask).astype(np.uint8)
    return np.asarray(mask & valid & (cv2.dilate(outside, _CROSS) > 0))


def boundary_f(found: Mask, truth: Mask, valid: Mask, tolerance_px: float = 2.0) -> float:
    """2·P·R / (P + R) of boundary pixels that have one of the other mask within the tolerance.

    Martin, Fowlkes & Malik 2004 (TPAMI 26(5)), without one-to-one matching, as in Perazzi et al.
    2016 (DAVIS). NaN where neither mask has a boundary.
    """
    edges = boundary(found, valid), boundary(truth, valid)
    if not edges[0].any() and not edges[1].any():
        return float("nan")
    if not edges[0].any() or not edges[1].any():
        return 0.0
    precision = _share_near(edges[0], edges[1], tolerance_px)
    recall = _share_near(edges[1], edges[0], tolerance_px)
    return 2 * precision * recall / max(precision + recall, 1e-12)


def _share_near(pixels: Mask, others: Mask, tolerance_px: float) -> float:
    """Part of some pixels that lie within the tolerance of others."""
    away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float((away[pixels] <= tolerance_px + 1e-3).mean())


def gradient(image: Image) -> NDArray[np.float32]:
    """Magnitude of the slope of luminance, smoothed, in grey levels a pixel."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = cv2.GaussianBlur(grey, (0, 0), _SMOOTHING_PX)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0))
    return np.asarray(np.hypot(across, down), np.float32)


def separation(values: Floats, chosen: Mask) -> float:
    """2·AUC - 1: how surely a value of the chosen lies above one of the others.

    1 where all do, 0 by chance, -1 where none does; ties count half (Mann & Whitney 1947). NaN
    where nothing or everything is chosen.
    """
    count = int(chosen.sum())
    others = chosen.size - count
    if not count or not others:
        return float("nan")
    above = rankdata(values)[chosen].sum() - count * (count + 1) / 2
    return float(2 * above / (count * others) - 1)


def edge_agreement(image: Image, edges: Mask, valid: Mask) -> float:
    """How well a picture's gradients tell the exact occluding edges from the rest: `separation`."""
    counts = inside(valid, _RIM_PX)
    return separation(gradient(image)[counts].astype(np.float64), edges[counts])


def inside(valid: Mask, rim_px: int) -> Mask:
    """What is valid and further than `rim_px` from what is not, and from the picture's border."""
    kernel = np.ones((2 * rim_px + 1, 2 * rim_px + 1), np.uint8)
    kept = cv2.erode(valid.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(kept > 0)


def normals_of(depth: Floats, rays: NDArray[np.float32]) -> Floats:
    """(H, W, 3) unit normals, towards the camera, of the surface that a depth map describes.

    Cross product of central differences of depth · ray; any scale of depth gives the same.

    Args:
        depth: (H, W) along the rays.
        rays: (H, W, 3) unit, camera coordinates.
    """
    points = depth[..., None] * rays
    down, across = np.gradient(points, axis=(0, 1))
    normal = np.cross(across, down)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
    away = (normal * rays).sum(-1, keepdims=True) > 0
    return np.where(away, -normal, normal)


def normal_error_deg(normal: Floats, truth: NDArray[np.float32], valid: Mask) -> float:
    """Mean angle between unit normals (H, W, 3), degrees; NaN where nothing is valid."""
    if not valid.any():
        return float("nan")
    cosine = (normal[valid] * truth[valid]).sum(-1)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())
