"""One recording of anybody's set, frame by frame, in one convention.

Whatever a layout keeps on disk, a `LayoutFrame` holds millimetres, depth along the optical axis
and a right-handed pose from camera to world with x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from engine.types import Image
from train.simulate.camera import Camera, Floats
from train.simulate.layouts.files import read_picture

Depth = NDArray[np.float32]
DepthReader = Callable[[Path], Depth]


@dataclass(frozen=True, slots=True)
class LayoutFrame:
    """One frame with what its recording knows about it."""

    image: Image
    """(H, W, 3) uint8 RGB."""
    depth_mm: Depth | None
    """(H, W) along the optical axis (z), *not* along the ray; 0 where unknown."""
    pose: Floats | None
    """(4, 4) camera to world, mm; camera x right, y down, z forward; right-handed."""
    camera: Camera | None
    name: str

    def distance_mm(self) -> Depth | None:
        """(H, W) along the ray, as simulated sets keep it; None without depth or camera."""
        if self.depth_mm is None or self.camera is None:
            return None
        forward = np.maximum(self.camera.rays()[..., 2], 1e-6)
        return np.asarray(self.depth_mm / forward, np.float32)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a layout leaves open, told by who reads it."""

    camera: Camera | None = None
    """Instead of the layout's own calibration."""
    unit_mm: float | None = None
    """Millimetres of one unit of a pose; VR-Caps and EndoSLAM leave poses out without it."""
    white_mm: float | None = None
    """Depth of the brightest grey; VR-Caps and EndoSLAM leave depth out without it."""
    is_near_white: bool | None = None
    """Whether bright means near; None: measured on the pictures."""
    rate_hz: float | None = None
    """Frames per second, to find a frame's pose by its time."""


AS_RECORDED = ReadOptions()
"""Nothing is told but what the recording says itself."""


@dataclass(frozen=True, slots=True)
class FrameFiles:
    """Where one frame lies, and its pose (4, 4)."""

    name: str
    image: Path
    depth: Path | None
    pose: Floats | None


class Recording:
    """Frames of one camera path in order; files are read one at a time, when asked for.

    Raises:
        RecipeError: on reading, a file is no picture, or depth and picture differ in size.
    """

    def __init__(
        self,
        files: Sequence[FrameFiles],
        camera: Camera | None,
        read_depth: DepthReader,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.files = tuple(files)
        self.camera = camera
        self.notes = notes
        """What to know before these frames are measured on."""
        self._read_depth = read_depth

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[LayoutFrame]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> LayoutFrame:
        """Read the frame at a place in the recording, 0 first."""
        files = self.files[number]
        image = read_picture(files.image)
        depth = None if files.depth is None else self._read_depth(files.depth)
        if depth is not None and depth.shape != image.shape[:2]:
            raise RecipeError(
                f"{files.depth} is {depth.shape[1]}×{depth.shape[0]}, "
                f"its picture {image.shape[1]}×{image.shape[0]}.",
                "Bring both to one size; depth without interpolation.",
            )
        camera = None if self.camera is None else _fitted(self.camera, image, files.image)
        return LayoutFrame(image, depth, files.pose, camera, files.name)


def _fitted(camera: Camera, image: Image, path: Path) -> Camera:
    """The camera for a picture's size: copies of sets are often made smaller."""
    height, width = image.shape[:2]
    if (camera.width, camera.height) == (width, height):
        return camera
    if abs(width / camera.width - height / camera.height) > 0.01 * width / camera.width:
        raise RecipeError(
            f"{path} is {width}×{height}, its camera {camera.width}×{camera.height}.",
            "A cropped picture needs a calibration of its own.",
        )
    return camera.resized(width, height)
