"""From a frame to fold and edge probabilities. A plain callable, no threads."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np

from engine.backends import InferenceBackend
from engine.preprocess import FieldOfView, Placement, find_field_of_view
from engine.trust import TRUST, View, measure_signs
from engine.types import FoldMask, Frame, Image, Mask, Probability, read_only

_SETTLED_FRAMES = 32
_VIEW_INTERVAL = 4


@dataclass(frozen=True, slots=True)
class _Inside:
    """The field of view on the grid, as its users multiply with it."""

    picture: Image
    """(size, size, 3), 255 inside."""
    cells: Probability
    """(size, size), 1 inside."""
    view: View
    """Where signs of trust are looked for."""

    @classmethod
    def of(cls, inside: Mask) -> _Inside:
        cells = inside.astype(np.float32)
        picture = np.repeat((cells * 255).astype(np.uint8)[..., None], 3, axis=2)
        return cls(picture, cells, View.of(inside.view(np.uint8)))


class Segmenter:
    """Finds the field of view, places it on the network's grid, and runs the network."""

    name = "segment"

    def __init__(self, backend: InferenceBackend, size: int, *, takes_depth: bool = False) -> None:
        self._backend = backend
        self._size = size
        self._takes_depth = takes_depth
        self._view: FieldOfView | None = None
        self._frames = 0
        self._placement: Placement | None = None
        self._inside: _Inside | None = None

    def __call__(self, frame: Frame) -> FoldMask:
        """Segment one frame; the probability is zero outside the field of view."""
        started_s = time.monotonic()
        placement, inside = self._place(frame)
        grid = placement.image_to_grid(frame.image)
        cv2.bitwise_and(grid, inside.picture, dst=grid)
        probability = self._backend.infer(grid)
        probability *= inside.cells
        region, edge = read_only(probability[0]), read_only(probability[1])
        depth = self._depth(inside) if self._takes_depth else None
        signs = measure_signs(grid, inside.view)
        trust = 0.0 if signs is None else TRUST.trust(signs)
        took_ms = (time.monotonic() - started_s) * 1e3
        return FoldMask(frame, region, edge, placement, took_ms, depth, trust)

    def _depth(self, inside: _Inside) -> Probability | None:
        depth = self._backend.depth()
        return None if depth is None else read_only(depth * inside.cells)

    def reset(self) -> None:
        """Forget the field of view: another video follows."""
        self._view = None
        self._frames = 0

    def _place(self, frame: Frame) -> tuple[Placement, _Inside]:
        previous, self._view = self._view, self._look_for_view(frame)
        is_same = previous is not None and self._view.mask is previous.mask
        if not is_same or self._placement is None or self._inside is None:
            self._placement = Placement.fit(_trimmed(self._view.box), self._size)
            covered = self._placement.image_to_grid(self._view.mask.view(np.uint8) * np.uint8(255))
            self._inside = _Inside.of(covered > 127)
        return self._placement, self._inside

    def _look_for_view(self, frame: Frame) -> FieldOfView:
        """The field of view: looked for in every frame at first, then in every fourth."""
        is_known = self._view is not None and self._view.mask.shape == frame.image.shape[:2]
        self._frames = self._frames + 1 if is_known else 0
        interval = 1 if self._frames < _SETTLED_FRAMES else _VIEW_INTERVAL
        if self._view is not None and self._frames % interval:
            return self._view
        return find_field_of_view(frame.image, self._view, interval)


def _trimmed(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Sides that can be halved twice: a picture of such a size is shrunk in half the time."""
    x, y, width, height = box
    return x, y, max(width // 4 * 4, min(width, 4)), max(height // 4 * 4, min(height, 4))
