"""SimCol3D: Unity renderings of a CT colon with depth and pose.

Rau, Bhattarai, Agapito, Stoyanov, "Bimodal camera pose prediction for endoscopy", 2022; data
rdr.ucl.ac.uk 24077763; conventions as in github.com/anitarau/simcol (`data_helpers`,
`evaluation`, `bimodal_camera_pose/datasets`). One folder per colon:

    SyntheticColon_I/cam.txt                          fx s cx 0 fy cy 0 0 1, pixels
    SyntheticColon_I/SavedPosition_S1.txt             x y z a line, cm, Unity's axes
    SyntheticColon_I/SavedRotationQuaternion_S1.txt   x y z w a line
    SyntheticColon_I/Frames_S1/FrameBuffer_0000.png   RGB, 475×475
    SyntheticColon_I/Frames_S1/Depth_0000.png         grey, 16 bits: value / 255 / 256 · 20 cm

- Depth runs along z, not along the ray: the authors scale K⁻¹ (u, v, 1) by it.
- Unity is left-handed: `train.simulate.layouts.unity`.
- A frame's number is its line in both pose files.
- Depth ends at 20 cm; what is farther is clipped, and read here as unknown, like 0.
- Their lens is 227.6 px wide and 237.5 px high in focal length, with its centre at (227.6, 237.5)
  of 475 pixels: taken as it stands.

What is written has a pinhole: a set with another lens is resampled first. Their evaluation
script wants 475×475 pixels; the export's size option makes them. `haustra/` inside
`Frames_S1` keeps the folds (`train.simulate.layouts.fold_labels`), where `F*.png` misses it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import RecipeError
from train.simulate.camera import Camera, Pinhole
from train.simulate.layouts.files import (
    need_folder,
    need_rows,
    numbered,
    pair_depth,
    read_grey16,
    read_picture,
    read_pinhole,
    read_table,
    whole_folder,
    write_picture,
    write_rows,
)
from train.simulate.layouts.fold_labels import write_folds, write_notes
from train.simulate.layouts.recording import AS_RECORDED, Depth, FrameFiles, ReadOptions, Recording
from train.simulate.layouts.unity import poses_from_unity, poses_to_unity
from train.simulate.layouts.walk import Walk

_FULL = 255 * 256
_RANGE_MM = 200.0
_UNIT_MM = 10.0
_TRAJECTORY = "S1"
_FOCAL_SHARE = 227.6 / 475


def open_simcol3d(folder: Path, options: ReadOptions = AS_RECORDED) -> Recording:
    """A `Frames_*` folder, or a colon's folder that holds one.

    Raises:
        RecipeError: files are missing, of the wrong kind, or fewer poses than frames.
    """
    frames = _frames_folder(need_folder(folder, "SimCol3D"))
    images = numbered(frames, r"FrameBuffer_(\d+)\.png")
    if not images:
        raise RecipeError(f"{frames} has no FrameBuffer_*.png.", "Name a folder Frames_S1 or so.")
    depths = pair_depth(frames, images, numbered(frames, r"Depth_(\d+)\.png"))
    trajectory = frames.name.removeprefix("Frames_")
    at = frames.parent / f"SavedPosition_{trajectory}.txt"
    turned = frames.parent / f"SavedRotationQuaternion_{trajectory}.txt"
    positions, quaternions = read_table(at, 3, None), read_table(turned, 4, None)
    if len(positions) != len(quaternions):
        raise RecipeError(
            f"{at.name} has {len(positions)} lines, {turned.name} {len(quaternions)}.",
            f"Copy both again from the original, to {frames.parent}.",
        )
    need_rows(at, len(positions), images)
    poses = poses_from_unity(positions, quaternions, _UNIT_MM, turned)
    files = [FrameFiles(path.stem, path, depths[n], poses[n]) for n, path in images.items()]
    camera = options.camera
    if camera is None:
        height, width = read_picture(files[0].image).shape[:2]
        camera = read_pinhole(frames.parent / "cam.txt", width, height)
    return Recording(files, camera, read_depth)


def _frames_folder(folder: Path) -> Path:
    if folder.name.startswith("Frames_"):
        return folder
    inside = sorted(path for path in folder.glob("Frames_*") if path.is_dir())
    if len(inside) != 1:
        names = ", ".join(path.name for path in inside[:6]) or "none"
        raise RecipeError(f"{folder} has {len(inside)} folders Frames_*: {names}.", "Name one.")
    return inside[0]


def read_depth(path: Path) -> Depth:
    """(H, W) mm along z, 0 where unknown.

    Raises:
        RecipeError: not grey with 16 bits.
    """
    value = read_grey16(path)
    return np.where(value < _FULL, value * np.float32(_RANGE_MM / _FULL), 0).astype(np.float32)


def lens(camera: Camera, height: int | None = None) -> Pinhole:
    """SimCol3D's field of view, 92 degrees, on the sensor of another camera."""
    height = height or camera.height
    width = round(camera.width * height / camera.height)
    focal = _FOCAL_SHARE * min(width, height)
    return Pinhole(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2)


def write_simcol3d(parent: Path, walk: Walk) -> Path:
    """Write one camera path as a colon with one trajectory; returns its folder.

    Raises:
        RecordingError: the folder exists already, or cannot be written.
    """
    camera = walk.camera
    if not isinstance(camera, Pinhole) or walk.height not in (None, camera.height):
        walk = walk.through(lens(camera, walk.height))
    with whole_folder(parent / f"SyntheticColon_{walk.name}") as colon:
        frames = colon / f"Frames_{_TRAJECTORY}"
        frames.mkdir()
        poses = []
        for number, frame in enumerate(walk):
            write_picture(frames / f"FrameBuffer_{number:04d}.png", frame.image)
            share = np.clip(frame.depth_mm / _RANGE_MM, 0, 1)
            depth = np.round(share * _FULL).astype(np.uint16)
            write_picture(frames / f"Depth_{number:04d}.png", depth)
            write_folds(frames, number, frame)
            poses.append(frame.pose)
        positions, quaternions = poses_to_unity(np.stack(poses), _UNIT_MM)
        write_rows(colon / f"SavedPosition_{_TRAJECTORY}.txt", positions, " ")
        write_rows(colon / f"SavedRotationQuaternion_{_TRAJECTORY}.txt", quaternions, " ")
        _write_matrix(colon / "cam.txt", walk.camera)
        write_notes(frames, walk.camera)
    return parent / f"SyntheticColon_{walk.name}"


def _write_matrix(path: Path, camera: Camera) -> None:
    rows = ((camera.fx, 0.0, camera.cx), (0.0, camera.fy, camera.cy), (0.0, 0.0, 1.0))
    write_rows(path, rows, " ")
