"""Where a network finds folds on real frames though none can be there, or least is sure of one.

Real folds have no labels here. What is known: flat mucosa and polyps are no folds. Bright light and
the rim of the field of view may lie on folds; there only the share called fold, beside that of the
rest of the view, tells whether light or outline is taken for a fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Mask, Probability
from train.metrics import Interval, area_called, bootstrap

HIGHLIGHT_LIGHTNESS = 95.0
"""L*: what is brighter is a highlight or an over-exposed sheet."""
SHEET_SHARE = 0.003
"""From this part of the view on a bright patch is a sheet: mirror images of lamps are smaller."""
RIM_SHARE = 0.06
"""Width of the rim, as part of the field's smaller side."""


class Ground(StrEnum):
    """Parts of a real view; all but `ABSENT` may hold a fold or not."""

    ABSENT = "known to hold no fold"
    """Flat mucosa, or a marked polyp."""
    BARE_HIGHLIGHT = "highlights and sheets on polyps"
    HIGHLIGHT = "highlights"
    SHEET = "over-exposed sheets"
    RIM = "rim of the view"
    VIEW = "whole view"


def bright_patches(image: Image, view: Mask) -> tuple[Mask, Mask]:
    """(H, W) small highlights and (H, W) over-exposed sheets of (H, W, 3) RGB, taken as sRGB.

    Both have L* above `HIGHLIGHT_LIGHTNESS`; a patch of `SHEET_SHARE` of the view is a sheet.
    """
    lightness = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)[..., 0]
    bright = view & (lightness > HIGHLIGHT_LIGHTNESS)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    is_sheet = stats[:, cv2.CC_STAT_AREA] >= SHEET_SHARE * view.sum()
    sheets = bright & is_sheet[labels]
    return bright & ~sheets, sheets


def rim(view: Mask, share: float = RIM_SHARE) -> Mask:
    """(H, W) pixels of the field of view within `share` of its smaller side from its outline.

    One pixel at least. The border of the picture is an outline too.
    """
    rows, columns = np.flatnonzero(view.any(1)), np.flatnonzero(view.any(0))
    if not len(rows):
        return np.zeros_like(view)
    smaller = min(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    padded = np.pad(view, 1).astype(np.uint8)
    away = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.asarray(view & (away <= max(1.0, share * smaller)))


def grounds(image: Image, view: Mask, absent: Mask) -> dict[Ground, Mask]:
    """The parts of one frame (H, W, 3), all inside its field of view (H, W).

    Args:
        image: RGB.
        view: inside the field of view.
        absent: known to hold no fold.
    """
    highlights, sheets = bright_patches(image, view)
    return {
        Ground.ABSENT: absent & view,
        Ground.BARE_HIGHLIGHT: (highlights | sheets) & absent,
        Ground.HIGHLIGHT: highlights,
        Ground.SHEET: sheets,
        Ground.RIM: rim(view),
        Ground.VIEW: view,
    }


def called_areas(
    probability: Probability, parts: Mapping[Ground, Mask], threshold: float
) -> NDArray[np.int64]:
    """(grounds, 2): pixels called fold and all pixels of each `Ground`, in its order."""
    return np.array([area_called(probability, parts[ground], threshold) for ground in Ground])


@dataclass(frozen=True)
class Alarms:
    """What was called fold on many frames."""

    areas: NDArray[np.int64]
    """(frames, grounds, 2): `called_areas` of each."""
    blocks: tuple[str, ...]
    """Equal for frames that may show one patient: they are redrawn together."""

    def __len__(self) -> int:
        return len(self.areas)

    def chosen(self, wanted: Callable[[int], bool]) -> Alarms:
        """Only the frames whose number is wanted."""
        kept = [number for number in range(len(self)) if wanted(number)]
        return Alarms(self.areas[kept], tuple(self.blocks[number] for number in kept))

    def share(self, ground: Ground) -> Interval:
        """Part of a ground's area that is called fold, pixels of all frames taken together."""
        return bootstrap(self._sums, lambda sums: called_share(sums.sum(0), ground))

    def excess(self, ground: Ground) -> Interval:
        """How many times as much of a ground is called fold as of the rest of the view."""
        return bootstrap(self._sums, lambda sums: called_excess(sums.sum(0), ground))

    @cached_property
    def _sums(self) -> list[NDArray[np.int64]]:
        """(1, grounds, 2) of each block."""
        names = np.array(self.blocks)
        return [self.areas[names == name].sum(0, keepdims=True) for name in np.unique(names)]


def called_share(areas: NDArray[np.int64], ground: Ground) -> float:
    """Called / all of one ground of (grounds, 2) areas; NaN where there is none of it."""
    called, total = areas[list(Ground).index(ground)]
    return float(called / total) if total else float("nan")


def called_excess(areas: NDArray[np.int64], ground: Ground) -> float:
    """Share of a ground over the share of the view without it; NaN where that is nothing."""
    of_view, of_ground = (areas[list(Ground).index(each)] for each in (Ground.VIEW, ground))
    called, total = of_view - of_ground
    if not called or not of_ground[1]:
        return float("nan")
    return float((of_ground[0] / of_ground[1]) / (called / total))
