"""Where the rays of one view meet the wall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import compiled


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
        return _interpolate(self.corners, self.weights, of_vertex)

    def label(self, of_vertex: NDArray[Any]) -> NDArray[Any]:
        """(m,) of the labels (n,) of vertices: the heaviest one; 0 only where all are 0."""
        return _label(self.corners, self.weights, of_vertex)

    def image(self, values: NDArray[Any], fill: Any = 0) -> NDArray[Any]:
        """(m, ...) values as an image (H, W, ...), `fill` where nothing was hit."""
        height, width = self.shape
        image = np.full((height * width, *values.shape[1:]), fill, values.dtype)
        image[self.pixel] = values
        return image.reshape(height, width, *values.shape[1:])


@compiled
def _interpolate(
    corners: NDArray[np.int32], weights: NDArray[np.float32], of_vertex: NDArray[Any]
) -> NDArray[Any]:
    found = np.empty(len(corners), (weights[:0, 0] * of_vertex[:0]).dtype)
    for i in range(len(corners)):
        found[i] = (
            weights[i, 0] * of_vertex[corners[i, 0]]
            + weights[i, 1] * of_vertex[corners[i, 1]]
            + weights[i, 2] * of_vertex[corners[i, 2]]
        )
    return found


@compiled
def _label(
    corners: NDArray[np.int32], weights: NDArray[np.float32], of_vertex: NDArray[Any]
) -> NDArray[Any]:
    found = np.empty(len(corners), of_vertex.dtype)
    for i in range(len(corners)):
        label, heaviest = of_vertex[corners[i, 0]], np.float32(0.0)
        for k in range(3):
            other = of_vertex[corners[i, k]]
            if other != 0 and weights[i, k] > heaviest:
                label, heaviest = other, weights[i, k]
        found[i] = label
    return found
