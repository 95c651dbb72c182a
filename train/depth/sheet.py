"""Pictures beside their depth, for people."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.types import Image
from train.depth import DepthEstimator
from train.depth.accuracy import KnownDepth, as_scaled_depth, to_pictures
from train.sheets import contact_sheet

_PAIRED_FROM = 4


@torch.no_grad()
def depth_sheet(estimator: DepthEstimator, pictures: Sequence[KnownDepth]) -> Image:
    """Picture, true depth, predicted depth, both in the colours of the truth; two to a row from
    four pictures on."""
    tiles: list[Image] = []
    for picture in pictures:
        truth = picture.depth_mm
        found = as_scaled_depth(estimator(to_pictures(picture.image)), truth[None])[0]
        tiles += [picture.image, coloured(truth, truth), coloured(found, truth)]
    return contact_sheet(tiles, 3 if len(pictures) < _PAIRED_FROM else 6)


def coloured(depth_mm: Tensor, truth_mm: Tensor) -> Image:
    """Near is bright, far is dark, on a logarithmic scale; black where the truth is unknown."""
    known = (truth_mm > 0).numpy()
    scale = np.log(np.maximum(depth_mm.numpy(), 1e-6))
    reach = np.log(np.maximum(truth_mm.numpy()[known], 1e-6))
    low, high = np.percentile(reach, [1, 99]) if known.any() else (0.0, 1.0)
    share = np.clip((high - scale) / max(high - low, 1e-6), 0, 1)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    return np.ascontiguousarray(np.where(known[..., None], colours[..., ::-1], 0)).astype(np.uint8)
