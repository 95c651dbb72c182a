"""Contact sheets: many pictures on one, and their way to disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.errors import RecordingError
from engine.types import Image


def contact_sheet(tiles: Sequence[Image], columns: int) -> Image:
    """Tiles (H, W, 3) of equal size in rows of `columns`; what is missing in the last is black."""
    blank = np.zeros_like(tiles[0])
    filled = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.concatenate(filled[i : i + columns], 1) for i in range(0, len(filled), columns)]
    return np.concatenate(rows)


def save_picture(path: Path, image: Image) -> Path:
    """Write (H, W, 3) RGB under a temporary name, then rename it; its folder is made.

    Raises:
        RecordingError: nothing can be written there, or the suffix names no format.
    """
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(partial), np.ascontiguousarray(image[..., ::-1])):
            raise OSError("the disk refused it")
        partial.replace(path)
    except (OSError, cv2.error) as error:
        partial.unlink(missing_ok=True)
        raise RecordingError(
            f"{path} cannot be written: {error}.", "Name a .png or .jpg where there is room."
        ) from error
    return path
