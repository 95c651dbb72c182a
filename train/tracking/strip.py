"""A picture of followed folds: rows of frames in the colours of their tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from engine.overlay import colour_of
from engine.types import Frame, Image, Labels

_TILE_PX = 192
_COLUMNS = 8
_TITLE_PX = 18


def strips(frames: Sequence[Frame], shown: Mapping[str, Sequence[Labels]], every: int) -> Image:
    """(H, W, 3): one row a name, `every`-th frame from the middle of the clip.

    Args:
        frames: of one clip.
        shown: name → (H, W) track of each pixel, for each frame.
        every: frames from one tile to the next.
    """
    first = max(0, (len(frames) - every * _COLUMNS) // 2)
    chosen = range(first, len(frames), every)[:_COLUMNS]
    rows = []
    for name, labels in shown.items():
        tiles = [_tile(frames[number].image, labels[number]) for number in chosen]
        title = np.full((_TITLE_PX, _TILE_PX * len(tiles), 3), 24, np.uint8)
        cv2.putText(title, name, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (230, 230, 230), 1)
        rows += [title, np.concatenate(tiles, axis=1)]
    return np.concatenate(rows)


def _tile(image: Image, labels: Labels) -> Image:
    """A frame with its folds tinted."""
    numbers = np.unique(labels)
    colours = np.array([colour_of(int(number)) for number in numbers], np.uint8)
    tint = colours[np.searchsorted(numbers, labels)]
    mixed = np.where((labels > 0)[..., None], image // 2 + tint // 2, image)
    size = (_TILE_PX, _TILE_PX)
    return np.asarray(cv2.resize(mixed, size, interpolation=cv2.INTER_AREA), np.uint8)
