"""All translators side by side on the same scenes, with their names above: the paper's figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image
from train.sampling import evenly_spread
from train.sheets import contact_sheet, save_picture

SHEET, BESIDE_REAL = "sheet.jpg", "DO-NOT-COMMIT-beside-real.jpg"
_ROWS = 6
_SIDE_PX = 192
_TITLE_PX = 26
_GREY = 200


def write_sheets(
    folder: Path, rows: Mapping[str, Image], unseen: Image, nearest: NDArray[np.int64] | None
) -> None:
    """A sheet of simulated and translated pictures; one with real ones too, outside repositories.

    Args:
        folder: to write into.
        rows: name → (n, H, W, 3), the same n scenes each.
        unseen: (m, S, S, 3) real pictures.
        nearest: (n,) which of them looks most like each translated picture; None: nothing real.

    Raises:
        RecordingError: nothing can be written there.
    """
    count = len(next(iter(rows.values())))
    chosen = evenly_spread(count, _ROWS)
    columns = {name: [images[index] for index in chosen] for name, images in rows.items()}
    save_picture(folder / SHEET, side_by_side(columns))
    if nearest is not None and not is_in_repository(folder):
        columns["real, most alike"] = [unseen[nearest[index]] for index in chosen]
        save_picture(folder / BESIDE_REAL, side_by_side(columns))


def side_by_side(columns: Mapping[str, Sequence[Image]]) -> Image:
    """Columns of pictures (H, W, 3) under their titles, enlarged to one width."""
    titles = [_title(name) for name in columns]
    pictures = [_enlarged(image) for row in zip(*columns.values(), strict=True) for image in row]
    return np.concatenate(
        [contact_sheet(titles, len(columns)), contact_sheet(pictures, len(columns))]
    )


def is_in_repository(folder: Path) -> bool:
    """Whether git would see what is written there."""
    resolved = folder.resolve()
    return any((parent / ".git").exists() for parent in (resolved, *resolved.parents))


def _enlarged(image: Image) -> Image:
    size = (_SIDE_PX, _SIDE_PX)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _title(name: str) -> Image:
    """(title, side, 3)."""
    line = np.zeros((_TITLE_PX, _SIDE_PX, 3), np.uint8)
    place = (4, _TITLE_PX - 9)
    cv2.putText(line, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (_GREY,) * 3, 1, cv2.LINE_AA)
    return line
