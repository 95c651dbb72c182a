"""Pictures of other people as sequences: paired by name, and kept together where they resemble."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import RecipeError
from engine.types import Image, Labels, Mask
from train.benchmark.test_sets import LabelledFrame
from train.pictures import block_of
from train.real import SUFFIXES
from train.simulate.layouts.files import read_labels, read_picture

MOST_INSTANCES = 256
"""More numbers or colours in one picture are none of a person's: JPEG has blurred them."""


@dataclass(frozen=True)
class FileSequence:
    """Frames that are read from files when asked for."""

    name: str
    files: tuple[tuple[Path, ...], ...]
    """Of each frame: its picture and whatever says what it shows."""
    read: Callable[[tuple[Path, ...]], LabelledFrame]
    is_video: bool = False

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> LabelledFrame:
        return self.read(self.files[number])


def pictures_of(folder: Path, endings: Sequence[str] = ()) -> dict[str, Path]:
    """Name → picture, of a folder's pictures in the order of their names.

    Args:
        folder: to look in.
        endings: that names may have and that do not tell them apart, such as `_gt`.

    Raises:
        RecipeError: no folder, no pictures, or two of one name.
    """
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    paths = [path for path in paths if path.suffix.lower() in SUFFIXES]
    if not paths:
        raise RecipeError(f"{folder} holds no pictures.", "Unpack the set there.")
    named: dict[str, Path] = {}
    for path in paths:
        name = path.stem
        for ending in endings:
            name = name.removesuffix(ending)
        if name in named:
            raise RecipeError(f"{folder} holds {path.name} twice.", "Take one of them away.")
        named[name] = path
    return named


def paired(first: dict[str, Path], *others: dict[str, Path]) -> list[tuple[Path, ...]]:
    """Files of equal names.

    Raises:
        RecipeError: a name is missing somewhere.
    """
    for other in others:
        lonely = sorted(first.keys() ^ other.keys())
        if lonely:
            where = next(iter((first if lonely[0] in other else other).values())).parent
            raise RecipeError(
                f"{where} has no {lonely[0]} ({len(lonely)} such names).",
                "Unpack the whole set; files of one frame have the same name.",
            )
    return [(path, *(other[name] for other in others)) for name, path in first.items()]


def by_block(
    files: Iterable[tuple[Path, ...]], read: Callable[[tuple[Path, ...]], LabelledFrame]
) -> tuple[FileSequence, ...]:
    """Sequences of stills that, as far as their names tell, may show one patient."""
    blocks: dict[str, list[tuple[Path, ...]]] = {}
    for each in files:
        blocks.setdefault(block_of(each[0]), []).append(each)
    return tuple(FileSequence(name, tuple(each), read) for name, each in blocks.items())


def read_mask(path: Path, image: Image) -> Mask:
    """(H, W) where a grey picture is brighter than half of its brightest pixel.

    So 0 and 1 will do as well as 0 and 255, and JPEG.

    Raises:
        RecipeError: no picture, or of another size than `image`.
    """
    grey = np.max(read_picture(path), axis=2)
    _need_size(path, grey.shape, image)
    return np.asarray(grey > grey.max() / 2)


def read_instances(path: Path, image: Image) -> Labels:
    """(H, W) 1, 2, ... for every number or colour of a picture, 0 where it is black.

    Raises:
        RecipeError: no picture, of another size than `image`, or of too many colours.
    """
    values = read_labels(path)
    _need_size(path, values.shape, image)
    known, labels = np.unique(values, return_inverse=True)
    if len(known) > MOST_INSTANCES:
        raise RecipeError(
            f"{path} has {len(known)} colours, too many for single folds.",
            "Take the original without loss (PNG), not a JPEG of it.",
        )
    numbers = np.cumsum(known > 0) * (known > 0)
    return np.asarray(numbers[labels].reshape(values.shape), np.int32)


def _need_size(path: Path, shape: tuple[int, ...], image: Image) -> None:
    if shape != image.shape[:2]:
        raise RecipeError(
            f"{path} is {shape[1]}×{shape[0]}, its picture {image.shape[1]}×{image.shape[0]}.",
            "Bring both to one size; labels without interpolation.",
        )


def number_in(path: Path) -> int:
    """The last number of a file's name.

    Raises:
        RecipeError: it has none.
    """
    found = re.findall(r"\d+", path.stem)
    if not found:
        raise RecipeError(f"{path} has no number in its name.", "Keep the names of the set.")
    return int(found[-1])
