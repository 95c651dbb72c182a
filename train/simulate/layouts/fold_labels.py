"""What other layouts have no place for: folds, kept in a subfolder `haustra/` beside the frames.

haustra/0000_fold.png       8 bits, 255 on folds
haustra/0000_edge.png       8 bits, 255 on the near side of a fold's occluding edge
haustra/0000_instances.png  16 bits, number of the fold, 0 for none
haustra/camera.json         the exact camera, where the layout's own file comes close only
haustra/README.txt          this
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from engine.types import Mask
from train.simulate.camera import Camera, camera_from
from train.simulate.layouts.files import read_grey8, read_grey16, write_picture
from train.simulate.layouts.walk import WalkFrame

FOLDER = "haustra"
_README = """\
Written by Haustra beside another layout's files. Simulated; for research, not for diagnosis.

NNNN_fold.png       8 bits, 255 on haustral folds
NNNN_edge.png       8 bits, 255 on the near side of a fold's occluding edge
NNNN_instances.png  16 bits, number of the fold (the same along the whole path), 0 for none
camera.json         the exact camera: x right, y down, z forward, pixel centres at integers
"""


@dataclass(frozen=True, slots=True)
class FoldLabels:
    """Folds of one frame, all (H, W)."""

    fold: Mask
    edge: Mask
    instances: NDArray[np.uint16]


def write_folds(folder: Path, number: int, frame: WalkFrame) -> None:
    """Write one frame's folds below a recording's folder."""
    inside = folder / FOLDER
    inside.mkdir(exist_ok=True)
    write_picture(inside / f"{number:04d}_fold.png", frame.fold.astype(np.uint8) * 255)
    write_picture(inside / f"{number:04d}_edge.png", frame.edge.astype(np.uint8) * 255)
    write_picture(inside / f"{number:04d}_instances.png", frame.instances)


def write_notes(folder: Path, camera: Camera, **more: float) -> None:
    """Write the exact camera, and what the files are."""
    inside = folder / FOLDER
    inside.mkdir(exist_ok=True)
    (inside / "camera.json").write_text(json.dumps({"camera": camera.as_dict(), **more}, indent=1))
    (inside / "README.txt").write_text(_README)


def read_folds(folder: Path, number: int) -> FoldLabels:
    """One frame's folds.

    Raises:
        RecipeError: the recording has none, or they are damaged.
    """
    inside = folder / FOLDER
    return FoldLabels(
        read_grey8(inside / f"{number:04d}_fold.png") > 127,
        read_grey8(inside / f"{number:04d}_edge.png") > 127,
        read_grey16(inside / f"{number:04d}_instances.png"),
    )


def read_exact_camera(folder: Path) -> Camera | None:
    """The camera a recording was written with; None where somebody else wrote it.

    Raises:
        RecipeError: damaged.
    """
    path = folder / FOLDER / "camera.json"
    if not path.exists():
        return None
    try:
        about = json.loads(path.read_text())["camera"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecipeError(
            f"{path} is damaged: {error}.", "Delete it: the layout's own calibration is used then."
        ) from error
    return camera_from(about)
