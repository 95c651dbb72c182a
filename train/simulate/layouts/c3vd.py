"""C3VD: a real colonoscope in a silicone colon, registered to its mesh.

Bobrow, Golhar, Vijayan, Akshintala, Garcia, Durr, "Colonoscopy 3D video dataset with paired depth
from 2D-3D registration", Medical Image Analysis 2023 (CC BY-NC-SA 4.0); conventions as in
durrlab.github.io/C3VD and github.com/DurrLab/C3VD (`RenderingModule.cpp`, `render/Render.cu`,
`python/exampleDataLoader.py`). One folder per video, 1350×1080:

    0000_color.png      RGB, 8 bits
    0000_depth.tiff     grey, 16 bits: 0..65535 is 0..100 mm along z; both ends mean unknown
    0000_normals.tiff   RGB, 16 bits: 0..65535 is -1..1 in camera axes, towards the camera
    pose.txt            16 numbers a line, commas: camera to world, mm, column after column
    config.ini          the omnidirectional camera (`train.simulate.layouts.omnidirectional`)

- Axes are OpenCV's: x right, y down, z forward, right-handed. No conversion.
- "Row-major" of the project's page holds for row vectors (p · M); as a matrix that acts on columns
  a line is column-major: its translation is the 13th to 15th number. Lines with the translation at
  4, 8 and 12 are read as row-major.
- The page says that the normals' z runs from 0 to 1; the renderer writes all three from -1 to 1.
- The raw frames follow the omnidirectional model: a pinhole calibration of theirs belongs to
  undistorted copies, and puts points of raw frames off by several per cent.
- C3VD-DEFCOL's `rgb/0000.png` and `depth/0000_depth.png`, and copies with `0000_depth16.png`, are
  read as well. A frame's number is its line in `pose.txt`, so every 30th frame alone will do.

Left out when writing: `flow`, `occlusion` and the coverage mesh. They need the colon's mesh, which
a simulated set does not keep; the near side of occluding edges is in `haustra/`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.camera import Camera, Floats
from train.simulate.layouts.files import (
    need_folder,
    need_rows,
    numbered,
    pair_depth,
    read_grey16,
    read_table,
    whole_folder,
    write_picture,
    write_rows,
)
from train.simulate.layouts.fold_labels import read_exact_camera, write_folds, write_notes
from train.simulate.layouts.omnidirectional import Omnidirectional
from train.simulate.layouts.recording import AS_RECORDED, Depth, FrameFiles, ReadOptions, Recording
from train.simulate.layouts.walk import Walk

_FULL = 65535
_RANGE_MM = 100.0

PUBLISHED_CAMERA = Omnidirectional(
    1350, 1080, 769.243600037458, 769.243600037458, 678.544839263292, 542.975887548343,
    bend=(
        -0.000812770624150226 * 769.243600037458,
        6.25674244578925e-07 * 769.243600037458**2,
        -1.19662182144280e-09 * 769.243600037458**3,
    ),
    stretch=(0.999986882249990, 0.00288273829525059, -0.00296316513429569),
)  # fmt: skip
"""Of the first release (`exampleDataLoader.py`), for folders without `config.ini`."""


def open_c3vd(folder: Path, options: ReadOptions = AS_RECORDED) -> Recording:
    """The folder of one video.

    Raises:
        RecipeError: files are missing, of the wrong kind, or fewer poses than frames.
    """
    need_folder(folder, "C3VD")
    images = numbered(folder, r"(\d+)_color\.(?:png|jpe?g)")
    images = images or numbered(folder / "rgb", r"(\d+)\.(?:png|jpe?g)")
    if not images:
        raise RecipeError(
            f"{folder} has neither 0000_color.png nor rgb/0000.png.", "Name the folder of a video."
        )
    named = r"(\d+)_depth(?:16)?\.(?:tiff?|png)"
    found = numbered(folder, named) or numbered(folder / "depth", named)
    depths = pair_depth(folder, images, found)
    poses = read_poses(folder / "pose.txt")
    need_rows(folder / "pose.txt", len(poses), images)
    files = [FrameFiles(path.stem, path, depths[n], poses[n]) for n, path in images.items()]
    return Recording(files, options.camera or _camera_of(folder), read_depth)


def _camera_of(folder: Path) -> Camera:
    exact = read_exact_camera(folder)
    if exact is not None:
        return exact
    config = folder / "config.ini"
    return Omnidirectional.read(config) if config.exists() else PUBLISHED_CAMERA


def read_depth(path: Path) -> Depth:
    """(H, W) mm along z, 0 where unknown.

    Raises:
        RecipeError: not grey with 16 bits.
    """
    value = read_grey16(path)
    return np.where(value < _FULL, value * np.float32(_RANGE_MM / _FULL), 0).astype(np.float32)


def read_poses(path: Path) -> Floats:
    """(n, 4, 4) camera to world, mm.

    Raises:
        RecipeError: missing, or a line is no rigid motion.
    """
    by_row = read_table(path, 16, ",").reshape(-1, 4, 4)
    bottom = np.abs(by_row[:, 3] - (0, 0, 0, 1)).max(axis=1) < 1e-6
    right = np.abs(by_row[:, :, 3] - (0, 0, 0, 1)).max(axis=1) < 1e-6
    # At the world's origin both orders look alike: the documented one holds.
    poses = by_row if bottom.all() and not right.all() else by_row.transpose(0, 2, 1)
    turns = poses[:, :3, :3]
    skew = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    is_rigid = (bottom if poses is by_row else right) & (skew < 1e-3)
    is_rigid &= np.linalg.det(turns) > 0
    if not is_rigid.all():
        line = int(np.flatnonzero(~is_rigid)[0]) + 1
        raise RecipeError(
            f"{path}: pose {line} is no rigid motion.",
            "A line is a 4×4 matrix in 16 numbers, column after column.",
        )
    return np.ascontiguousarray(poses)


def write_c3vd(parent: Path, walk: Walk) -> Path:
    """Write one camera path as a video's folder; returns it.

    Raises:
        RecordingError: the folder exists already, or cannot be written.
    """
    camera = walk.camera
    if walk.height not in (None, camera.height):
        width = round(camera.width * walk.height / camera.height)
        walk = walk.through(camera.resized(width, walk.height))
    fitted = Omnidirectional.of(walk.camera)
    with whole_folder(parent / walk.name) as folder:
        poses = []
        for number, frame in enumerate(walk):
            write_picture(folder / f"{number:04d}_color.png", frame.image)
            share = np.clip(frame.depth_mm / _RANGE_MM, 0, 1)
            depth = np.round(share * _FULL).astype(np.uint16)
            write_picture(folder / f"{number:04d}_depth.tiff", depth)
            write_picture(folder / f"{number:04d}_normals.tiff", encode_normal(frame.normal, depth))
            write_folds(folder, number, frame)
            poses.append(frame.pose.T.ravel())
        write_rows(folder / "pose.txt", poses, ",")
        fitted.write(folder / "config.ini")
        write_notes(folder, walk.camera, config_misfit_px=fitted.misfit_px(walk.camera))
    return parent / walk.name


def encode_normal(normal: Depth, depth: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 of unit normals; 0 where the depth is."""
    scaled = np.round((np.clip(normal, -1, 1) + 1) / 2 * _FULL).astype(np.uint16)
    return np.where(depth[..., None] > 0, scaled, np.uint16(0))
