"""Real still frames: which may be trained on, which are kept for the test, what is known of them.

The licence policy is fixed here: only `SOURCES` ever reach a training step. Splits follow a hash
of the file name, so they stay the same whatever the order or number of files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np

from engine.errors import SourceError
from engine.preprocess import Placement, find_field_of_view
from engine.types import Image, Mask

SUFFIXES = {".jpg", ".jpeg", ".png"}


class RealKind(StrEnum):
    """What is known about a real frame."""

    UNLABELLED = "unlabelled"
    POLYP = "polyp"
    """Its polyp is marked: known not to be fold."""
    FLAT = "flat"
    """A crop of flat mucosa: known to show no fold."""


class Half(StrEnum):
    """Training frames teach; test frames are only ever measured."""

    TRAINING = "training"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class RealFrame:
    """One still on disk."""

    path: Path
    kind: RealKind
    half: Half
    polyp_path: Path | None = None


SOURCES = ("polypgen", "kvasir_seg", "cp_child_mucosa")
"""Folders whose licence allows training shipped weights (all CC BY 4.0)."""


def half_of(name: str) -> Half:
    """A stable coin toss on the file's name."""
    digest = hashlib.sha256(name.encode()).digest()
    return Half.TRAINING if digest[0] % 2 == 0 else Half.TEST


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def polypgen_frames(real: Path) -> Iterator[RealFrame]:
    """PolypGen: unlabelled, all for training."""
    for path in _pictures(real / "polypgen" / "images"):
        yield RealFrame(path, RealKind.UNLABELLED, Half.TRAINING)


def kvasir_frames(real: Path) -> Iterator[RealFrame]:
    """Kvasir-SEG with polyp masks, half for training."""
    for path in _pictures(real / "kvasir_seg" / "images"):
        mask = real / "kvasir_seg" / "polyp_masks" / f"{path.stem}.png"
        if mask.exists():
            yield RealFrame(path, RealKind.POLYP, half_of(path.stem), mask)


def flat_frames(real: Path) -> Iterator[RealFrame]:
    """CP-CHILD crops of flat mucosa: A for training, B for the test."""
    for path in _pictures(real / "cp_child_mucosa"):
        half = Half.TRAINING if path.name.startswith("CP-CHILD-A") else Half.TEST
        yield RealFrame(path, RealKind.FLAT, half)


def real_frames(real: Path, half: Half | None = None) -> list[RealFrame]:
    """All usable frames of one half (or both) under `real`; empty where the folder is absent."""
    found = [*polypgen_frames(real), *kvasir_frames(real), *flat_frames(real)]
    return [frame for frame in found if half is None or frame.half == half]


def views(real: Path, half: Half | None = None) -> list[RealFrame]:
    """The frames that show a proper view: all but the crops of flat mucosa."""
    return [frame for frame in real_frames(real, half) if frame.kind is not RealKind.FLAT]


def read_image(path: Path) -> Image:
    """(H, W, 3) RGB.

    Raises:
        SourceError: not a picture.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f"{path} is not a readable picture.", "Fetch the data set again.")
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8, copy=False)


def read_polyp(frame: RealFrame, shape: tuple[int, int]) -> Mask:
    """(H, W) where the polyp is; all False where none is marked."""
    if frame.polyp_path is None:
        return np.zeros(shape, bool)
    mask = read_image(frame.polyp_path)[..., 0]
    if mask.shape != shape:
        mask = cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    return np.asarray(mask > 127)


@dataclass(frozen=True, slots=True)
class PlacedFrame:
    """A real frame on the network's grid."""

    image: Image
    """(size, size, 3) RGB, black outside the field of view."""
    valid: Mask
    """(size, size), inside the field of view."""
    absent: Mask
    """(size, size), known to hold no fold."""


def place_frame(frame: RealFrame, size: int) -> PlacedFrame:
    """Read a frame and put it on the grid the way the product does."""
    image = read_image(frame.path)
    shape = image.shape[:2]
    view = find_field_of_view(image)
    placement = Placement.fit(view.box, size)
    planes = np.zeros((*shape, 3), np.uint8)
    planes[..., 0] = view.mask * np.uint8(255)
    planes[..., 1] = read_polyp(frame, shape) * np.uint8(255)
    grid = placement.image_to_grid(planes)
    valid = grid[..., 0] > 127
    absent = valid if frame.kind is RealKind.FLAT else grid[..., 1] > 127
    picture = placement.image_to_grid(image)
    picture[~valid] = 0
    return PlacedFrame(picture, valid, absent & valid)
