"""A hundred real frames with the folds a bundle finds, to be looked at by a person.

The choice is seeded, never from frames that may be trained on, and the same for every bundle, so
that two bundles' sheets can be laid side by side. Sheets hold real frames: they stay outside any
repository.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from engine.errors import RecipeError, RecordingError
from engine.overlay import OverlayStyle, paint_overlay
from engine.types import FoldInstance, Image
from train.pictures import YARDSTICKS, yardstick_frames
from train.real import Half, RealFrame, read_image, views
from train.sheets import contact_sheet, save_picture
from train.tally import write_tally

FoldFinder = Callable[[Image], Sequence[FoldInstance]]

COUNT = 100
SEED = 1124
TALLY = "tally.csv"
_TILE_PX, _COLUMNS, _A_PAGE = 320, 4, 20
_THIN = OverlayStyle(opacity=0.12, stroke_px=2)


def unseen_views(real: Path) -> dict[str, list[RealFrame]]:
    """Set → its proper views that no training step may see; sets that are absent are left out."""
    found = {"Kvasir-SEG, unseen half": views(real, Half.TEST)}
    found |= {name: yardstick_frames(real, folder) for name, folder in YARDSTICKS.items()}
    return {name: frames for name, frames in found.items() if frames}


def choose_frames(real: Path, count: int = COUNT, seed: int = SEED) -> list[RealFrame]:
    """`count` unseen views, in turn from every set that has some left; fewer where none has.

    Raises:
        RecipeError: there are none.
    """
    sets = unseen_views(real)
    if not sets:
        raise RecipeError(f"{real} holds no unseen real views.", "Name the folder with the sets.")
    rng = np.random.default_rng(seed)
    queues = [[frames[n] for n in rng.permutation(len(frames))] for frames in sets.values()]
    longest = max(len(queue) for queue in queues)
    turns = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
    return turns[:count]


@dataclass(frozen=True, slots=True)
class SheetPlaces:
    """Where the frames come from and where the sheets go."""

    real: Path
    out: Path


def write_sheets(find_folds: FoldFinder, places: SheetPlaces, count: int = COUNT) -> list[Path]:
    """Write `real-1.jpg` ... of 20 frames each and a `tally.csv` to fill in; returns the pictures.

    Every frame is shown twice, bare on the left.

    Raises:
        RecordingError: the folder lies in a repository, holds a tally, or cannot be written.
        RecipeError: there are no frames.
    """
    need_outside_repository(places.out)
    frames = choose_frames(places.real, count)
    names = [frame.path.relative_to(places.real).as_posix() for frame in frames]
    write_tally(places.out / TALLY, names)
    pages = []
    for start in range(0, len(frames), _A_PAGE):
        page = frames[start : start + _A_PAGE]
        tiles = [_tile(frame, find_folds, start + n + 1) for n, frame in enumerate(page)]
        path = places.out / f"real-{start // _A_PAGE + 1}.jpg"
        pages.append(save_picture(path, contact_sheet(tiles, _COLUMNS)))
    return pages


def need_outside_repository(folder: Path) -> None:
    """Real frames must not be committed.

    Raises:
        RecordingError: the folder lies in a repository.
    """
    for parent in (folder.resolve(), *folder.resolve().parents):
        if (parent / ".git").exists():
            raise RecordingError(
                f"{folder} lies in the repository {parent}; real frames do not belong there.",
                "Choose a folder outside.",
            )


def _tile(frame: RealFrame, find_folds: FoldFinder, number: int) -> Image:
    """(side, 2 side, 3): the frame, and with its folds, numbered."""
    image = read_image(frame.path)
    scale = _TILE_PX / max(image.shape[:2])
    tile = np.zeros((_TILE_PX, 2 * _TILE_PX, 3), np.uint8)
    # Neighbours in different colours: what was joined or broken shows.
    folds = [replace(fold, track=fold.label) for fold in find_folds(image)]
    for left, shown in ((0, image), (_TILE_PX, paint_overlay(image, folds, _THIN))):
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        small = cv2.resize(shown, size, interpolation=cv2.INTER_AREA)
        tile[: size[1], left : left + size[0]] = small
    at = (4, _TILE_PX - 6)
    for width, colour in ((3, (0, 0, 0)), (1, (255, 255, 255))):
        cv2.putText(tile, str(number), at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, width)
    return tile
