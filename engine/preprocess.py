"""From a frame to the network's grid and back, the same for training and at run time.

The endoscope's field of view is found and cropped, scaled with its aspect ratio kept, and centred
on a black square. One `Placement` maps pictures forward and points, masks and contours back.

Coordinates are (x, y) in pixels with pixel *centres* at integers, so the left edge of the first
pixel is x = -0.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Mask, Points, read_only

_Cells = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Placement:
    """How a crop of a frame lies on the network's square grid.

    The crop is `crop_width` x `crop_height` frame pixels with its corner at (`crop_x`, `crop_y`);
    on the grid it covers `width` x `height` cells with its corner at (`x`, `y`).
    """

    crop_x: int
    crop_y: int
    crop_width: int
    crop_height: int
    x: int
    y: int
    width: int
    height: int
    size: int

    @classmethod
    def fit(cls, crop: tuple[int, int, int, int], size: int) -> Placement:
        """Centre `crop` = (x, y, width, height) on a `size` x `size` grid, aspect kept.

        Raises:
            ValueError: the crop is empty.
        """
        crop_x, crop_y, crop_width, crop_height = crop
        if crop_width < 1 or crop_height < 1 or size < 1:
            raise ValueError(f"cannot place a {crop_width}x{crop_height} crop on {size}x{size}")
        scale = size / max(crop_width, crop_height)
        width = max(1, round(crop_width * scale))
        height = max(1, round(crop_height * scale))
        return cls(
            crop_x, crop_y, crop_width, crop_height,
            (size - width) // 2, (size - height) // 2, width, height, size,
        )  # fmt: skip

    @property
    def scale(self) -> tuple[float, float]:
        """Grid cells per frame pixel, (x, y)."""
        return self.width / self.crop_width, self.height / self.crop_height

    @property
    def area_scale(self) -> float:
        """Frame pixels per grid cell."""
        scale_x, scale_y = self.scale
        return 1.0 / (scale_x * scale_y)

    def image_to_grid(self, image: Image) -> Image:
        """(H, W, 3) frame → (size, size, 3) grid, black outside the crop."""
        crop = image[
            self.crop_y : self.crop_y + self.crop_height,
            self.crop_x : self.crop_x + self.crop_width,
        ]
        grid = np.zeros((self.size, self.size, *image.shape[2:]), dtype=image.dtype)
        target = grid[self.y : self.y + self.height, self.x : self.x + self.width]
        target[...] = _resize(crop, self.width, self.height)
        return grid

    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What `image_to_grid` does to a crop, but for rounding: rows @ crop @ columns.T.

        Returns:
            rows (height, crop_height), columns (width, crop_width); every row of either sums to 1.
        """
        rows = np.eye(self.crop_height, dtype=np.float32)
        columns = np.eye(self.crop_width, dtype=np.float32)
        crop, target = (self.crop_width, self.crop_height), (self.width, self.height)
        for (width, height), method in _steps(crop, target):
            rows = _shrunk(rows, (self.crop_height, height), method)
            columns = _shrunk(columns, (self.crop_width, width), method)
        return rows, columns

    def points_to_grid(self, points: Points) -> Points:
        """(n, 2) xy in frame pixels → (n, 2) xy on the grid."""
        scale = np.asarray(self.scale)
        centred = np.asarray(points, np.float64) + 0.5 - (self.crop_x, self.crop_y)
        return np.asarray(centred * scale + (self.x, self.y) - 0.5, np.float32)

    def points_to_frame(self, points: Points) -> Points:
        """(n, 2) xy on the grid → (n, 2) xy in frame pixels."""
        scale = np.asarray(self.scale)
        centred = np.asarray(points, np.float64) + 0.5 - (self.x, self.y)
        return np.asarray(centred / scale + (self.crop_x, self.crop_y) - 0.5, np.float32)

    def map_to_frame(
        self, grid: NDArray[np.float32], shape: tuple[int, int], *, nearest: bool = False
    ) -> NDArray[np.float32]:
        """A (size, size) map on the grid → an (H, W) map on the frame, 0 outside the crop."""
        frame = np.zeros(shape, dtype=grid.dtype)
        inside = grid[self.y : self.y + self.height, self.x : self.x + self.width]
        frame[
            self.crop_y : self.crop_y + self.crop_height,
            self.crop_x : self.crop_x + self.crop_width,
        ] = cv2.resize(
            np.ascontiguousarray(inside),
            (self.crop_width, self.crop_height),
            interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR,
        )
        return frame


def _resize(image: Image, width: int, height: int) -> Image:
    """Area average where the picture shrinks, linear interpolation where it grows."""
    for size, method in _steps((image.shape[1], image.shape[0]), (width, height)):
        image = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
    return image


def _steps(source: tuple[int, int], target: tuple[int, int]) -> list[tuple[tuple[int, int], int]]:
    """The way from one (width, height) to another: the sizes in between, and how to each."""
    (width, height), steps = source, []
    # Halving averages 2 x 2 pixels; with it first, shrinking 1080p takes a quarter of the time.
    while width >= 2 * target[0] and height >= 2 * target[1]:
        if width % 2 or height % 2:
            break
        width, height = width // 2, height // 2
        steps.append(((width, height), cv2.INTER_AREA))
    # What is left of the way is less than a factor of two. Where it is less than 4/3, two pixels
    # make one, and linear interpolation takes a fifth of the time of an exact average.
    is_short = 3 * width <= 4 * target[0] and 3 * height <= 4 * target[1]
    steps.append((target, cv2.INTER_LINEAR if is_short else cv2.INTER_AREA))
    return steps


def _shrunk(
    weights: NDArray[np.float32], size: tuple[int, int], method: int
) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(weights, size, interpolation=method), np.float32)


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """Where in the frame the endoscope's picture is. Text, insets and borders lie outside."""

    box: tuple[int, int, int, int]
    """(x, y, width, height) of the smallest upright rectangle around it, in frame pixels."""
    mask: Mask
    """(H, W), true inside. Read-only, and the very same array while nothing changes."""
    cells: _Cells
    """(h, w), 1 inside: the mask on a coarse grid."""
    evidence: NDArray[np.float32]
    """(h, w), 0..1: how recently each cell was lit."""

    @classmethod
    def whole(cls, shape: tuple[int, ...]) -> FieldOfView:
        """All of an (H, W, ...) image: the answer while nothing better is known."""
        height, width = shape[:2]
        columns, rows = _coarse_size(height, width)
        return cls(
            (0, 0, width, height),
            read_only(np.ones((height, width), np.bool_)),
            read_only(np.ones((rows, columns), np.uint8)),
            read_only(np.zeros((rows, columns), np.float32)),
        )


_LONG_SIDE_CELLS = 192
_MAX_BACKGROUND = 28
"""Borders are black to dark grey; a brighter corner belongs to the picture."""
_LIT_ABOVE_BACKGROUND = 11
_COLOURED_INSET = 50
"""Mucosa is never this much greener or bluer than red, position displays are."""
_THIN_CELLS = 9
"""Narrower lit things are text and status bars, not the endoscope's picture."""
_MIN_LIT_SHARE = 0.12
"""A smaller lit part of the frame says nothing about the outline."""
_INSET_FILL = 0.85
_FADE = 0.99
_REMEMBERED = 0.05
"""With `_FADE`: a cell counts for 300 well lit frames after it was last lit."""
_NOISE_SHARE = 0.01
"""The previous answer stands until it is wrong in more than this share of the field."""


def find_field_of_view(
    image: Image, previous: FieldOfView | None = None, frames_since: int = 1
) -> FieldOfView:
    """Find the endoscope's picture in a frame: a circle, octagon, rectangle, or all of it.

    The outline is the convex hull of what is lit, less dark or coloured upright rectangles in its
    corners (insets). What is lit gathers over the frames of a video, so that neither a dark frame
    nor a dark lumen at the rim shrinks the answer.

    Args:
        image: (H, W, 3) RGB.
        previous: the answer for an earlier frame of the same video.
        frames_since: how many frames ago that was.
    """
    if previous is None or previous.mask.shape != image.shape[:2]:
        previous = FieldOfView.whole(image.shape)
    lit = _lit_cells(image)
    if np.count_nonzero(lit) < _MIN_LIT_SHARE * lit.size:
        return previous
    evidence = read_only(np.maximum(previous.evidence * np.float32(_FADE**frames_since), lit))
    cells = _outline((evidence > _REMEMBERED).view(np.uint8))
    changed = np.count_nonzero(cells != previous.cells)
    if changed <= _NOISE_SHARE * np.count_nonzero(cells):
        return replace(previous, evidence=evidence)
    height, width = image.shape[:2]
    mask = cv2.resize(cells * 255, (width, height), interpolation=cv2.INTER_LINEAR) > 127
    x, y, box_width, box_height = cv2.boundingRect(mask.view(np.uint8))
    box = (int(x), int(y), int(box_width), int(box_height))
    return FieldOfView(box, read_only(mask), read_only(cells), evidence)


def _coarse_size(height: int, width: int) -> tuple[int, int]:
    """(columns, rows) of the coarse grid."""
    scale = min(1.0, _LONG_SIDE_CELLS / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _lit_cells(image: Image) -> _Cells:
    """(H, W, 3) → (h, w), 1 in the largest lit part of the frame."""
    size = _coarse_size(*image.shape[:2])
    red, green, blue = cv2.split(cv2.resize(image, size, interpolation=cv2.INTER_NEAREST))
    colder = cv2.max(green, blue)
    level = np.asarray(cv2.medianBlur(cv2.max(red, colder), 3), np.uint8)
    is_lit = level > _background(level) + _LIT_ABOVE_BACKGROUND
    is_lit &= np.asarray(cv2.subtract(colder, red)) < _COLOURED_INSET
    return _largest_part(_without_thin_parts(is_lit.view(np.uint8)))


def _background(level: _Cells) -> float:
    """Brightness of the border, which shows in at least one corner unless there is none."""
    side = max(1, min(level.shape) // 24)
    ends = slice(side), slice(-side, None)
    corners = [level[rows, columns] for rows in ends for columns in ends]
    return min(_MAX_BACKGROUND, *(float(np.median(corner)) for corner in corners))


def _without_thin_parts(cells: _Cells) -> _Cells:
    side = min(_THIN_CELLS, *cells.shape)
    # Padded, because a bar along the frame's border would else count as endlessly thick.
    padded = cv2.copyMakeBorder(cells, side, side, side, side, cv2.BORDER_CONSTANT, value=0)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return np.asarray(opened[side:-side, side:-side], np.uint8)


def _largest_part(cells: _Cells) -> _Cells:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=4)
    if count <= 2:
        return cells
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == largest).view(np.uint8)


def _outline(lit: _Cells) -> _Cells:
    """Convex hull of the lit cells, less its corners where an inset covers them."""
    rims, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    field = np.zeros_like(lit)
    cv2.fillConvexPoly(field, cv2.convexHull(np.concatenate(rims)), 1)
    dark = _without_thin_parts(field & (1 - lit))
    count, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    if count == 1:
        return field
    left, top, width, height = cv2.boundingRect(field)
    for x, y, inset_width, inset_height, area in stats[1:].tolist():
        covered = field[y : y + inset_height, x : x + inset_width]
        is_upright_rectangle = area > _INSET_FILL * np.count_nonzero(covered)
        across = x + inset_width / 2 - (left + width / 2)
        down = y + inset_height / 2 - (top + height / 2)
        if is_upright_rectangle and abs(across) > width / 5 and abs(down) > height / 5:
            rows = slice(y, None) if down > 0 else slice(None, y + inset_height)
            columns = slice(x, None) if across > 0 else slice(None, x + inset_width)
            field[rows, columns] = 0
    return _largest_part(_without_thin_parts(field))
