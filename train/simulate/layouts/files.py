"""Pictures, numbered files and tables of numbers, read with errors that say what to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError, RecordingError
from engine.types import Image
from train.simulate.camera import Floats, Pinhole


def need_folder(folder: Path, layout: str) -> Path:
    """The folder itself.

    Raises:
        RecipeError: it does not exist.
    """
    if not folder.is_dir():
        raise RecipeError(f"{folder} is no folder.", f"Name a recording laid out as {layout}.")
    return folder


def numbered(folder: Path, pattern: str) -> dict[int, Path]:
    """Number → file, of the files in a folder whose whole name matches; group 1 is the number."""
    if not folder.is_dir():
        return {}
    matches = ((re.fullmatch(pattern, path.name), path) for path in folder.iterdir())
    found = {int(match[1]): path for match, path in matches if match is not None}
    return dict(sorted(found.items()))


def pair_depth(
    folder: Path, images: dict[int, Path], depths: dict[int, Path]
) -> dict[int, Path | None]:
    """Depth file of every picture; None for all where a recording has no depth at all.

    Raises:
        RecipeError: some pictures have depth and others have none.
    """
    missing = [number for number in images if number not in depths]
    if depths and missing:
        raise RecipeError(
            f"{folder} has {len(images)} pictures, but no depth for {len(missing)} of them, "
            f"first for {images[missing[0]].name}.",
            "Copy the missing files, or take the pictures without depth away.",
        )
    return {number: depths.get(number) for number in images}


def read_picture(path: Path) -> Image:
    """(H, W, 3) RGB; a fourth channel is dropped.

    Raises:
        RecipeError: not a readable picture.
    """
    return np.ascontiguousarray(_decoded(path, cv2.IMREAD_COLOR)[..., ::-1])


def read_grey16(path: Path) -> NDArray[np.uint16]:
    """(H, W) with 16 bits.

    Raises:
        RecipeError: not a readable picture, or of another depth or number of channels.
    """
    grey = _decoded(path, cv2.IMREAD_UNCHANGED)
    if grey.dtype != np.uint16 or grey.ndim != 2:
        channels = 1 if grey.ndim == 2 else grey.shape[2]
        raise RecipeError(
            f"{path} has {channels} channel(s) of {grey.dtype.itemsize * 8} bits; "
            "depth of this layout is grey with 16 bits.",
            "Take the original file; converting it back does not restore the depth.",
        )
    return np.asarray(grey)


def read_grey8(path: Path) -> NDArray[np.uint8]:
    """(H, W): the first channel (red) of a picture with 8 bits.

    Raises:
        RecipeError: not a readable picture, or of another depth.
    """
    grey = _decoded(path, cv2.IMREAD_UNCHANGED)
    if grey.dtype != np.uint8:
        raise RecipeError(
            f"{path} has {grey.dtype.itemsize * 8} bits; depth of this layout has 8.",
            "Take the file as the recorder wrote it.",
        )
    # OpenCV hands colours over as BGR(A): red is the third channel.
    return np.ascontiguousarray(grey if grey.ndim == 2 else grey[..., 2])


def read_labels(path: Path) -> NDArray[np.int64]:
    """(H, W) numbers of a grey picture, or of a coloured one its colours as numbers, black 0.

    Raises:
        RecipeError: not a readable picture.
    """
    picture = _decoded(path, cv2.IMREAD_UNCHANGED).astype(np.int64)
    if picture.ndim == 2:
        return np.asarray(picture)
    return np.asarray(picture[..., :3] @ np.array([1, 1 << 16, 1 << 32]))


def _decoded(path: Path, flag: int) -> NDArray[Any]:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error}.", "Copy it again.") from error
    picture = cv2.imdecode(data, flag) if data.size else None
    if picture is None:
        raise RecipeError(f"{path} is not a readable picture.", "Copy it again, or take it away.")
    return np.asarray(picture)


def read_table(path: Path, columns: int, separator: str | None, header: int = 0) -> Floats:
    """(n, columns) numbers of a text file; empty lines are passed over.

    Args:
        path: the file.
        columns: how many numbers a line has.
        separator: between the numbers; None for white space.
        header: lines to pass over first.

    Raises:
        RecipeError: missing, empty, or a line that is not `columns` finite numbers.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} cannot be read: {error}.", "Copy it again.") from error
    rows = [
        _numbers(path, number, line, columns, separator)
        for number, line in enumerate(lines, 1)
        if number > header and line.strip()
    ]
    if not rows:
        raise RecipeError(f"{path} holds no numbers.", "Copy it again.")
    return np.asarray(rows, np.float64)


def _numbers(
    path: Path, number: int, line: str, columns: int, separator: str | None
) -> list[float]:
    try:
        values = [float(part) for part in line.strip().split(separator)]
    except ValueError:
        values = []
    if len(values) != columns or not np.isfinite(values).all():
        raise RecipeError(
            f"{path}, line {number}: {line.strip()[:60]!r} is not {columns} numbers.",
            "Restore the line from the original recording.",
        )
    return values


def need_rows(path: Path, rows: int, images: dict[int, Path]) -> None:
    """A frame's number is its line: there must be a line for the last frame.

    Raises:
        RecipeError: fewer lines than frames.
    """
    last = max(images)
    if rows <= last:
        raise RecipeError(
            f"{path} has {rows} poses, but the last frame is {images[last].name}.",
            "Copy the whole pose file, or take the frames without a pose away.",
        )


def read_pinhole(path: Path, width: int, height: int) -> Pinhole:
    """A calibration kept as the nine numbers of its matrix, row by row; skew is left out.

    Raises:
        RecipeError: not nine numbers, or not such a matrix.
    """
    try:
        matrix = np.array([float(part) for part in path.read_text().split()]).reshape(3, 3)
    except (OSError, ValueError) as error:
        raise RecipeError(
            f"{path} is no calibration: {error}.", "It holds nine numbers: fx s cx 0 fy cy 0 0 1."
        ) from error
    (fx, _, cx), (_, fy, cy), last = matrix.tolist()
    if not (fx > 0 and fy > 0 and np.allclose(last, (0, 0, 1))):
        raise RecipeError(
            f"{path} is no camera matrix: {matrix.tolist()}.",
            "It holds nine numbers row by row: fx s cx 0 fy cy 0 0 1.",
        )
    return Pinhole(width, height, fx, fy, cx, cy)


def write_picture(path: Path, picture: NDArray[Any]) -> None:
    """Write a grey or RGB picture without loss, as its suffix says.

    Raises:
        RecordingError: it cannot be written.
    """
    ordered = picture[..., ::-1] if picture.ndim == 3 else picture
    encoded, data = cv2.imencode(path.suffix, np.ascontiguousarray(ordered))
    if not encoded:
        raise RecordingError(f"{path.name} cannot be encoded.", "Report this.")
    path.write_bytes(data.tobytes())


def write_rows(path: Path, rows: Iterable[Iterable[float]], separator: str) -> None:
    """One line a row, numbers to a hundred-millionth."""
    lines = (separator.join(f"{value:.8f}" for value in row) for row in rows)
    path.write_text("\n".join(lines) + "\n")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the name `folder` once everything is in it.

    Raises:
        RecordingError: `folder` exists already, or cannot be written; nothing half-written stays.
    """
    if folder.exists():
        raise RecordingError(f"{folder} exists already.", "Choose another folder, or delete it.")
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        partial.replace(folder)
    except OSError as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(
            f"{folder} cannot be written: {error}.", "Make room or choose another folder."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
