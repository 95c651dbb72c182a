"""Pictures in a graphics card's memory, and their way to the network's grid without leaving it.

A decoder on an NVIDIA card (NVDEC) writes NV12: luma, and chroma of half the size. The field of
view is cut out, becomes RGB, and is brought to the grid by two matrices, `Placement.weights`, which
do what OpenCV does in main memory but for rounding in between. Colour comes first, as there: what
is clipped to 0..255 must be clipped before it is averaged.

This is the one place outside `train` where torch is imported, inside functions: without torch, or
where it sees no card, pictures take the way through main memory (`engine.segmenter`).

Tested on tensors in main memory, on frames that FFmpeg decoded by software. What needs a card never
ran where this was written: the stream of `CardFront`, planes of `cuda` frames, and times.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import BackendError
from engine.preprocess import Placement
from engine.types import Image, read_only

if TYPE_CHECKING:
    from torch import Tensor


_CUDA = 2
"""DLPack's number for memory of a CUDA card."""


@dataclass(frozen=True, slots=True)
class Colours:
    """How luma and chroma stand for red, green and blue (ITU-R BT.601, BT.709)."""

    red: float
    """Share of red in luma."""
    blue: float
    is_full: bool
    """0..255; else luma is 16..235 and chroma 16..240."""

    def matrix(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(3, 3) m and (3,) shift: RGB = m @ (luma, blue chroma, red chroma) + shift, 0..255."""
        luma, chroma = (1.0, 1.0) if self.is_full else (255 / 219, 255 / 224)
        green = 1 - self.red - self.blue
        from_red, from_blue = 2 * (1 - self.red) * chroma, 2 * (1 - self.blue) * chroma
        turn = np.array(
            [
                [luma, 0.0, from_red],
                [luma, -from_blue * self.blue / green, -from_red * self.red / green],
                [luma, from_blue, 0.0],
            ]
        )
        zero = np.array([0.0 if self.is_full else 16.0, 128.0, 128.0])
        return turn.astype(np.float32), (-turn @ zero).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class CardPicture:
    """One decoded picture where the decoder left it. Nobody writes to it."""

    luma: Tensor
    """(H, W) uint8."""
    chroma: Tensor
    """(H/2, W/2, 2) uint8: blue, red."""
    colours: Colours

    @classmethod
    def of(cls, luma: Any, chroma: Any, colours: Colours) -> CardPicture:
        """From two planes that speak DLPack, whose memory is shared, once they are written.

        Raises:
            RuntimeError, BufferError, TypeError, ValueError: the planes cannot be shared.
        """
        torch = _torch()
        kind, index = luma.__dlpack_device__()
        if kind == _CUDA:
            # FFmpeg's copy out of the decoder runs on the stream that is torch's default one. This
            # is also torch's first use of the card: FFmpeg shares only a context it has set up.
            torch.cuda.default_stream(index).synchronize()
        # PyAV takes no stream to wait for, so torch must not ask it to: it is given capsules.
        shared = [torch.from_dlpack(plane.__dlpack__()) for plane in (luma, chroma)]
        return cls(shared[0], shared[1], colours)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.luma.shape[0], self.luma.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class CardGrid:
    """A picture on the network's grid, complete, in the card's memory."""

    cells: Tensor
    """(size, size, 3) uint8 RGB, contiguous."""
    here: Image
    """The same in main memory, for `engine.trust` and for back ends that cannot take the other."""

    @classmethod
    def of(cls, cells: Tensor) -> CardGrid:
        """Brings the cells here, and waits for that."""
        return cls(cells, read_only(np.asarray(cells.cpu().numpy(), np.uint8)))

    @property
    def size(self) -> int:
        """Cells along a side."""
        return self.cells.shape[0]

    @property
    def address(self) -> int:
        """Of the first cell, on the card; valid as long as this object lives."""
        return self.cells.data_ptr()


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """From the planes of pictures of one kind to the grid; all tensors on one device."""

    placement: Placement
    rows: Tensor
    """(height, crop_height)."""
    columns: Tensor
    """(crop_width, width)."""
    turn: Tensor
    """(3, 3) of `Colours.matrix`."""
    shift: Tensor
    """(3, 1, 1)."""
    inside: Tensor
    """(size, size, 3) uint8, 1 inside the field of view."""

    @classmethod
    def of(cls, placement: Placement, colours: Colours, inside: Image, device: Any) -> Way:
        """For this crop and these colours; `inside` is (size, size, 3), not 0 inside."""
        rows, columns = placement.weights()
        turn, shift = colours.matrix()
        arrays = (rows, columns.T, turn, shift[:, None, None], np.minimum(inside, 1))
        put = _torch().from_numpy
        return cls(placement, *(put(np.ascontiguousarray(each)).to(device) for each in arrays))


def planes_to_grid(picture: CardPicture, way: Way) -> Tensor:
    """(size, size, 3) uint8 RGB on the picture's device, black outside the field of view."""
    at = way.placement
    rgb = _to_rgb(picture, way)
    placed = (way.rows @ (rgb @ way.columns)).round().clamp(0, 255).byte()
    grid = _torch().zeros_like(way.inside)
    grid[at.y : at.y + at.height, at.x : at.x + at.width] = placed.permute(1, 2, 0)
    masked: Tensor = grid * way.inside
    return masked


def _to_rgb(picture: CardPicture, way: Way) -> Tensor:
    """(3, crop_height, crop_width) float32, whole levels: the crop, each chroma for four pixels."""
    torch, at = _torch(), way.placement
    bottom, right = at.crop_y + at.crop_height, at.crop_x + at.crop_width
    luma = picture.luma[at.crop_y : bottom, at.crop_x : right]
    chroma = picture.chroma[at.crop_y // 2 : (bottom + 1) // 2, at.crop_x // 2 : (right + 1) // 2]
    chroma = chroma.repeat_interleave(2, 0).repeat_interleave(2, 1)
    top, left = at.crop_y % 2, at.crop_x % 2
    chroma = chroma[top : top + at.crop_height, left : left + at.crop_width]
    planes = torch.cat([luma[None], chroma.permute(2, 0, 1)]).float()
    rgb: Tensor = (torch.einsum("cp,phw->chw", way.turn, planes) + way.shift).round().clamp(0, 255)
    return rgb


class CardFront:
    """Lays pictures on the grid, on a CUDA stream of its own; used from one thread."""

    def __init__(self) -> None:
        self._way: Way | None = None
        self._known: tuple[Placement, Colours] | None = None
        self._inside: Image | None = None
        self._stream: Any = None

    def __call__(self, picture: CardPicture, placement: Placement, inside: Image) -> CardGrid:
        """The picture on the grid, complete.

        Args:
            picture: in frame pixels, as `placement` is.
            placement: of the field of view.
            inside: (size, size, 3), not 0 inside the field of view; the same array while it is
                the same view.

        Raises:
            BackendError: the card failed.
        """
        try:
            with self._own_stream(picture):
                return CardGrid.of(
                    planes_to_grid(picture, self._find_way(picture, placement, inside))
                )
        except RuntimeError as error:
            raise _failed(error) from error

    def _find_way(self, picture: CardPicture, placement: Placement, inside: Image) -> Way:
        is_known = self._inside is inside and self._known == (placement, picture.colours)
        if self._way is None or not is_known:
            self._way = Way.of(placement, picture.colours, inside, picture.luma.device)
            self._inside, self._known = inside, (placement, picture.colours)
        return self._way

    @contextmanager
    def _own_stream(self, picture: CardPicture) -> Iterator[None]:
        """Work within is queued on a stream of its own, and done when this ends."""
        if not picture.luma.is_cuda:
            yield
            return
        cuda = _torch().cuda
        if self._stream is None:
            self._stream = cuda.Stream(picture.luma.device)
        with cuda.stream(self._stream):
            yield
        self._stream.synchronize()


@cache
def card_problem() -> str | None:
    """Why pictures cannot be placed on the card; None where they can. Looks once, imports torch."""
    try:
        cuda = _torch().cuda
    except (ImportError, OSError):
        return "torch is not installed"
    return None if cuda.is_available() else "the torch that is installed sees no CUDA card"


def _torch() -> Any:
    import torch

    return torch


def _failed(error: RuntimeError) -> BackendError:
    reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
    return BackendError(f"The card cannot place pictures: {reason}.", "--decoder off does without.")
