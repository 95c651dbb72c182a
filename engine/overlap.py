"""How much outlines of one frame overlap those of another."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Points


@dataclass(frozen=True, slots=True)
class SharedAreas:
    """How many cells every pair of masks shares; masks are (n, h, w) and (m, h, w) of 0 and 1."""

    shared: NDArray[np.int64]
    """(n, m)."""
    before: NDArray[np.int64]
    """(n,) cells of the earlier masks."""
    after: NDArray[np.int64]
    """(m,) cells of the later ones."""

    @classmethod
    def of(cls, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> SharedAreas:
        """Count on packed bits: 64 cells an operation."""
        first, second = _pack(before), _pack(after)
        return cls(
            np.bitwise_count(first[:, None] & second[None]).sum(-1, dtype=np.int64),
            np.bitwise_count(first).sum(-1, dtype=np.int64),
            np.bitwise_count(second).sum(-1, dtype=np.int64),
        )

    def overlap(self) -> NDArray[np.float64]:
        """(n, m) mean of intersection over union and intersection over the smaller area.

        So a fold that is partly hidden still overlaps its past well.
        """
        smaller = np.maximum(np.minimum(self.before[:, None], self.after), 1)
        return np.asarray(0.5 * self.iou() + 0.5 * self.shared / smaller)

    def iou(self) -> NDArray[np.float64]:
        """(n, m) intersection over union."""
        union = np.maximum(self.before[:, None] + self.after - self.shared, 1)
        return np.asarray(self.shared / union)

    def share_inside(self) -> NDArray[np.float64]:
        """(n, m) share of each earlier mask that lies in each later one."""
        return np.asarray(self.shared / np.maximum(self.before[:, None], 1))


def _pack(masks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """(n, h, w) of 0 and 1 → (n, ceil(h·w / 64)) words."""
    bits = np.packbits(masks.reshape(len(masks), -1), axis=1)
    padded = np.zeros((len(masks), -(-bits.shape[1] // 8) * 8), np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def paint_outlines(outlines: Sequence[Points], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Masks (n, h, w) of outlines, widened by a pixel, because folds are thin."""
    height, width = shape[:2]
    # One below the other with an empty row between, so that one call widens them all.
    masks = np.zeros((len(outlines), height + 1, width), np.uint8)
    if not outlines:
        return masks[:, :height]
    points = np.rint(np.clip(np.concatenate(outlines), -2000, 2000) * 8).astype(np.int32)
    ends = itertools.accumulate(len(outline) for outline in outlines)
    for mask, outline, end in zip(masks, outlines, ends, strict=True):
        cv2.fillPoly(mask[:height], [points[end - len(outline) : end]], 1, cv2.LINE_8, 3)
    stacked = masks.reshape(-1, width)
    cv2.dilate(stacked, np.ones((3, 3), np.uint8), dst=stacked)
    return masks[:, :height]
