"""How the picture moved from one frame to the next, from sparse optical flow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image

Grey = NDArray[np.uint8]
"""(h, w)."""


def small_grey(image: Image, side: int) -> tuple[Grey, float]:
    """A small grey picture and its pixels per frame pixel."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Every few pixels are enough for motion; an area average of the whole frame costs ten times.
    small = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (3, 3), 0)
    return np.asarray(grey, np.uint8), scale


def camera_motion(before: Grey, after: Grey) -> NDArray[np.float64]:
    """Similarity (2, 3) that carries points of `before` to `after`; identity where unsure."""
    still = np.eye(2, 3)
    corners = cv2.goodFeaturesToTrack(before, 60, 0.01, 6)
    if corners is None or len(corners) < 8:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        corners,
        np.empty_like(corners),
        winSize=(13, 13),
        maxLevel=2,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.03),
    )
    good = found[:, 0] == 1
    if np.count_nonzero(good) < 8:
        return still
    motion, inliers = cv2.estimateAffinePartial2D(
        corners[good], moved[good], method=cv2.RANSAC, ransacReprojThreshold=2.0
    )
    if motion is None or np.count_nonzero(inliers) < max(6, np.count_nonzero(good) / 2):
        return still
    zoom = float(np.hypot(motion[0, 0], motion[1, 0]))
    return np.asarray(motion, np.float64) if 0.7 < zoom < 1.4 else still
