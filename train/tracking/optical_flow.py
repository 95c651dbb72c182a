"""Motion between two pictures where depth and pose are unknown: real video.

Estimated flow errs, most of all at fold edges; where the geometry is known, `flow_between` of
`train.tracking.consistency` is exact and to be preferred.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.types import Image, Mask
from train.tracking.consistency import Flow

_TOLERANCE_PX = 1.0
_TOLERANCE_SHARE = 0.05
"""Of the way there and back: how far a pixel may end from where it began."""


def flow_from_pictures(
    earlier: Image, later: Image, views: tuple[Mask, Mask] | None = None
) -> Flow:
    """For each pixel of the later picture, the one of the earlier that shows the same point.

    Dense inverse search (Kroeger et al. 2016), both ways: what does not come back to where it
    began, within a pixel or 5 % of the way, was hidden or is unknown.

    Args:
        earlier: (H, W, 3) RGB.
        later: the same size.
        views: (H, W) fields of view of both; all of it unless told.
    """
    before, now = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (earlier, later))
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = now.shape
    back, forth = (
        search.calc(one, other, np.zeros((height, width, 2), np.float32))
        for one, other in ((now, before), (before, now))
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    column, row = x + back[..., 0], y + back[..., 1]
    returned = cv2.remap(forth, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    missed = np.linalg.norm(back + returned, axis=-1)
    way = np.linalg.norm(back, axis=-1)
    i, j = np.rint(row).astype(np.int32), np.rint(column).astype(np.int32)
    known = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    known &= missed <= np.maximum(_TOLERANCE_PX, _TOLERANCE_SHARE * way)
    source = np.where(known, i * width + j, 0).astype(np.int32)
    if views is not None:
        known &= views[1] & views[0].ravel()[source]
    return Flow(np.where(known, source, 0).astype(np.int32), np.asarray(known))
