"""From a frame to the network's grid and back, the same for training and at run time.

The endoscope's field of view is cropped, scaled with its aspect ratio kept, and centred on a
black square. One `Placement` maps pictures forward and points, masks and contours back.

Coordinates are (x, y) in pixels with pixel *centres* at integers, so the left edge of the first
pixel is x = -0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Points


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
        shrinks = self.width < self.crop_width
        target = grid[self.y : self.y + self.height, self.x : self.x + self.width]
        target[...] = cv2.resize(
            crop,
            (self.width, self.height),
            interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        return grid

    def points_to_grid(self, points: Points) -> Points:
        """(n, 2) xy in frame pixels → (n, 2) xy on the grid."""
        scale = np.asarray(self.scale)
        centred = np.asarray(points, np.float64) + 0.5 - (self.crop_x, self.crop_y)
        return (centred * scale + (self.x, self.y) - 0.5).astype(np.float32)

    def points_to_frame(self, points: Points) -> Points:
        """(n, 2) xy on the grid → (n, 2) xy in frame pixels."""
        scale = np.asarray(self.scale)
        centred = np.asarray(points, np.float64) + 0.5 - (self.x, self.y)
        return (centred / scale + (self.crop_x, self.crop_y) - 0.5).astype(np.float32)

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
