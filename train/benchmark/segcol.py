"""SegCol: fold edges by hand on real frames of EndoMapper.

Ju et al. 2024 (arXiv:2412.16078); data Synapse syn54124209; layout as in
github.com/surgical-vision/segcol_challenge. One folder a clip, below the folder that is named:

    Seq_003_35920/imgs/frame_0000.png                           RGB, 640×480
    Seq_003_35920/segm_maps/Seq_003_35920_segm_map_0.png        255 fold edge; 127, 128, 129 tools
    Seq_003_35920/json_files/Seq_003_35920_frame_0.json         the same as polylines, pixels

Edges come from the map or, for a frame without one, are drawn from its polylines. Only edges are
known, not the folds behind them. Frames follow at 10 to 12 a second, too slowly for a video.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from engine.preprocess import find_field_of_view
from engine.types import Mask
from train.benchmark.stills import FileSequence
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.simulate.layouts.files import numbered, read_grey8, read_picture

FOLD_EDGE = 255
_FOLDS = "colon_folds"
_WIDTH_PX = 3


def open_segcol(settings: TestSettings) -> LabelledSet:
    """The folder with `Seq_*` folders, or one of these.

    Raises:
        RecipeError: there is none, or a frame has no labels.
    """
    folder = settings.path
    inside = sorted(folder.glob("Seq_*")) if folder.is_dir() else []
    clips = [clip for clip in (inside or [folder]) if (clip / "imgs").is_dir()]
    if not clips:
        raise RecipeError(
            f"{folder} has no Seq_*/imgs.", "Name the folder that holds SegCol's clips."
        )
    return LabelledSet(settings.name, tuple(_clip(clip) for clip in clips))


def _clip(folder: Path) -> FileSequence:
    images = numbered(folder / "imgs", r"frame_(\d+)\.(?:png|jpe?g)")
    if not images:
        raise RecipeError(f"{folder / 'imgs'} has no frame_*.png.", "Unpack the clip again.")
    maps = numbered(folder / "segm_maps", r".*segm_map_(\d+)\.png")
    lines = numbered(folder / "json_files", r".*frame_(\d+)\.json")
    labels = lines | maps
    missing = [path for number, path in images.items() if number not in labels]
    if missing:
        raise RecipeError(
            f"{missing[0]} has neither map nor polylines ({len(missing)} such frames).",
            "Unpack segm_maps or json_files, or take the frames without labels away.",
        )
    files = tuple((path, labels[number]) for number, path in images.items())
    return FileSequence(folder.name, files, read_frame)


def read_frame(files: tuple[Path, ...]) -> LabelledFrame:
    """A picture and its map (PNG) or its polylines (JSON).

    Raises:
        RecipeError: a file cannot be read, or of another size.
    """
    image = read_picture(files[0])
    shape = image.shape[:2]
    labels = files[1]
    if labels.suffix == ".json":
        edge = draw_polylines(read_polylines(labels), shape)
    else:
        edge = read_grey8(labels) == FOLD_EDGE
    if edge.shape != shape:
        raise RecipeError(
            f"{labels} is {edge.shape[1]}×{edge.shape[0]}, its picture {shape[1]}×{shape[0]}.",
            "Take both from one release.",
        )
    valid = find_field_of_view(image).mask
    return LabelledFrame(image=image, valid=valid, edge=edge & valid)


def read_polylines(path: Path) -> list[NDArray[np.float64]]:
    """(n, 2) xy of each fold edge, pixels.

    Raises:
        RecipeError: damaged, or a line is no list of points.
    """
    try:
        about: Any = json.loads(path.read_text(encoding="utf-8"))
        lines = about["annotations"].get(_FOLDS) or {}
        found = [np.asarray(line, np.float64).reshape(-1, 2) for line in lines.values()]
        if any(not np.isfinite(line).all() for line in found):
            raise ValueError("a point is not finite")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecipeError(f"{path} is damaged: {error}.", "Unpack the clip again.") from error
    return [line for line in found if len(line) > 1]


def draw_polylines(lines: list[NDArray[np.float64]], shape: tuple[int, int]) -> Mask:
    """(H, W) with lines (n, 2) xy three pixels wide; the first pixel's centre is at (0.5, 0.5)."""
    drawn = np.zeros(shape, np.uint8)
    fixed = [np.round((line - 0.5) * 16).astype(np.int32) for line in lines]
    cv2.polylines(drawn, fixed, False, 1, _WIDTH_PX, cv2.LINE_8, 4)
    return np.asarray(drawn > 0)
