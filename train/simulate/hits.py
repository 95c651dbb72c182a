"""Where the rays of one view meet the wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Hits:
    """Where the rays of one view meet the wall: m pixels that see something."""

    shape: tuple[int, int]
    pixel: NDArray[np.int64]
    """(m,) flat indices into `shape`, growing."""
    face: NDArray[np.int32]
    """(m,)."""
    corners: NDArray[np.int32]
    """(m, 3) vertices of the face."""
    weights: NDArray[np.float32]
    """(m, 3) barycentric, of the face's corners."""
    distance: NDArray[np.float32]
    """(m,) along the ray, mm."""

    def interpolate(self, of_vertex: NDArray[Any]) -> NDArray[Any]:
        """(m,) of the values (n,) of vertices."""
        return np.asarray(np.einsum("nk,nk->n", self.weights, of_vertex[self.corners]))

    def label(self, of_vertex: NDArray[Any]) -> NDArray[Any]:
        """(m,) of the labels (n,) of vertices: the heaviest one; 0 only where all are 0."""
        labels = of_vertex[self.corners]
        found = labels[:, 0].copy()
        mixed = np.flatnonzero((found != labels[:, 1]) | (found != labels[:, 2]))
        weights = self.weights[mixed] * (labels[mixed] != 0)
        found[mixed] = labels[mixed, np.argmax(weights, axis=1)]
        return found

    def image(self, values: NDArray[Any], fill: Any = 0) -> NDArray[Any]:
        """(m, ...) values as an image (H, W, ...), `fill` where nothing was hit."""
        height, width = self.shape
        image = np.full((height * width, *values.shape[1:]), fill, values.dtype)
        image[self.pixel] = values
        return image.reshape(height, width, *values.shape[1:])
