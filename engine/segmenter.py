"""From a frame to fold and edge probabilities. A plain callable, no threads.

Where a frame is in the card's memory and the back end takes it from there, it is laid on the grid
by `engine.card`; else, and after that has failed once, by OpenCV.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.backends import CardBackend, InferenceBackend
from engine.card import CardFront, CardGrid
from engine.errors import BackendError
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
        self._front = CardFront()
        self.note: str | None = None
        """Why frames on the card are not taken from there any more."""

    def __call__(self, frame: Frame) -> FoldMask:
        """Segment one frame; the probability is zero outside the field of view."""
        started_s = time.monotonic()
        placement, inside = self._place(frame)
        grid, probability = self._infer(frame, placement, inside)
        probability *= inside.cells
        region, edge = read_only(probability[0]), read_only(probability[1])
        depth = self._depth(inside) if self._takes_depth else None
        signs = measure_signs(grid, inside.view)
        trust = 0.0 if signs is None else TRUST.trust(signs)
        took_ms = (time.monotonic() - started_s) * 1e3
        return FoldMask(frame, region, edge, placement, took_ms, depth, trust)

    def _infer(
        self, frame: Frame, placement: Placement, inside: _Inside
    ) -> tuple[Image, NDArray[np.float32]]:
        """The picture on the grid, black outside the field of view, and (2, size, size) of it."""
        backend = self._backend
        if isinstance(backend, CardBackend) and backend.takes_card:
            placed = self._place_on_card(frame, placement, inside)
            if placed is not None:
                return placed.here, backend.infer_on_card(placed)
        grid = placement.image_to_grid(frame.image)
        cv2.bitwise_and(grid, inside.picture, dst=grid)
        return grid, backend.infer(grid)

    def _place_on_card(
        self, frame: Frame, placement: Placement, inside: _Inside
    ) -> CardGrid | None:
        """The picture on the grid in the card's memory; None where it is not there, or fails."""
        if frame.on_card is None or self.note is not None:
            return None
        try:
            return self._front(frame.on_card, placement, inside.picture)
        except BackendError as error:
            self.note = f"{error.what} The processor places them."
            return None

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
