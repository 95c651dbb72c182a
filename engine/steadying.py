"""Against flicker: a mask is averaged with the one before, carried along as the picture moved."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.motion import Grey, picture_flow, small_grey
from engine.types import FoldMask, Probability, read_only


@dataclass(frozen=True, slots=True)
class SteadyOptions:
    """How much of the past a mask keeps."""

    weight: float = 0.5
    """Of the newest mask, 0..1: 1 keeps nothing. At 0.5 what appears or vanishes is believed in
    the second frame."""
    side: int = 160
    """Longer side of the picture on which motion is measured, pixels."""
    longest_s: float = 0.1
    """Nothing is kept over a longer gap: stills, a pause, frames that were dropped."""


@dataclass(frozen=True, slots=True)
class _Past:
    mask: FoldMask
    grey: Grey


class Steadier:
    """Call in presentation order; `reset` after a jump in time."""

    def __init__(self, options: SteadyOptions = SteadyOptions()) -> None:
        self._options = options
        self._past: _Past | None = None

    def reset(self) -> None:
        """Forget the mask before."""
        self._past = None

    def __call__(self, mask: FoldMask) -> FoldMask:
        """The mask, averaged with the past where that lies on the same grid and is not too old."""
        grey, scale = small_grey(mask.frame.image, self._options.side)
        past = self._past
        if past is not None and self._follows(past.mask, mask):
            flow = picture_flow(grey, past.grey)
            x, y = _sources(mask, flow, scale)
            mask = replace(
                mask,
                probability=self._average(past.mask.probability, mask.probability, (x, y)),
                edge=self._average(past.mask.edge, mask.edge, (x, y)),
            )
        self._past = _Past(mask, grey)
        return mask

    def _follows(self, before: FoldMask, after: FoldMask) -> bool:
        elapsed_s = after.frame.pts_s - before.frame.pts_s
        return before.placement == after.placement and 0 < elapsed_s <= self._options.longest_s

    def _average(
        self, before: Probability, after: Probability, source: tuple[Probability, Probability]
    ) -> Probability:
        carried = cv2.remap(before, *source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        weight = self._options.weight
        return read_only(np.asarray(cv2.addWeighted(after, weight, carried, 1 - weight, 0)))


def _sources(
    mask: FoldMask, flow: NDArray[np.float32], scale: float
) -> tuple[Probability, Probability]:
    """(h, w) x and y on the grid: where each cell was in the frame before.

    `flow` leads back from the small picture of this frame, `scale` of whose pixels make one of it.
    """
    placement, size = mask.placement, mask.placement.size
    per_x, per_y = placement.scale[0] / scale, placement.scale[1] / scale
    # Grid cell g shows small pixel (g + 0.5 - corner) / per - 0.5 of the crop's own corner.
    to_small = np.array(
        [
            [1 / per_x, 0, (0.5 - placement.x) / per_x + placement.crop_x * scale - 0.5],
            [0, 1 / per_y, (0.5 - placement.y) / per_y + placement.crop_y * scale - 0.5],
        ]
    )
    moved = cv2.warpAffine(
        flow, to_small, (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    cells = np.arange(size, dtype=np.float32)
    x = moved[..., 0] * np.float32(per_x) + cells
    y = moved[..., 1] * np.float32(per_y) + cells[:, None]
    return x, y
