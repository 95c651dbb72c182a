"""VR-Caps: what Unity's recorders write, and what they leave open.

İncetan et al., "VR-Caps: a virtual environment for capsule endoscopy", Medical Image Analysis
2021; github.com/CapsuleEndoscope/VirtualCapsuleEndoscopy (README "Creating Synthetic Data",
`RecordMotion.cs`; issues 5, 7, 8, 13, 18). One folder per recording:

    image_0000.png              RGB, 320×320, of the Image Sequence recorder
    aov_image_0000.png          8 bits (RGBA, red counts), of the AOV recorder
    position_rotation.csv       tX,tY,tZ,rX,rY,rZ,rW,time(s): Unity's axes and units, x y z w

Pictures may lie in `images/` or `Frames/`, depth in `depths/` or `Pixelwise Depths/`, poses in
`Poses/`; names may carry a prefix (`colon_position_rotation.csv`).

- Depth is relative, 0 to 1, in 8 bits, and its unit was never told: `white_mm` says how far the
  brightest grey is. Without it there is no depth here: no invented millimetres.
- Some recordings are reversed. The lamp sits at the camera, so near is bright in the picture: the
  rank correlation of the two tells, unless `is_near_white` does. Grey 0 counts as unknown.
- Poses are written at the physics clock, not once per frame: a frame's pose is the one nearest
  to number / `rate_hz`. Without a rate there must be one line per frame.
- The unit of positions is the scene's: `unit_mm` says how long it is; without it, no poses.
- RGB has the lens distortion of the post-processing, depth has none: the two do not lie on each
  other unless that was switched off. Nothing here can repair it.
- Some files hold colour, or nothing, where depth should be; both are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from engine.errors import RecipeError
from engine.types import Image
from train.simulate.camera import Camera, Floats, Pinhole
from train.simulate.layouts.files import (
    need_folder,
    numbered,
    pair_depth,
    read_grey8,
    read_picture,
    read_table,
)
from train.simulate.layouts.recording import (
    AS_RECORDED,
    Depth,
    DepthReader,
    FrameFiles,
    ReadOptions,
    Recording,
)
from train.simulate.layouts.unity import poses_from_unity

MIROCAM = Pinhole(320, 320, 159.5906, 159.2241, 161.9297, 163.1686)
"""The scene's camera: a calibrated MiroCam, its distortion (k1 0.1994, k2 -0.1279) left out."""

NOTE = "The pictures may be lens-distorted while depth is not: borders need not coincide."

_PICTURES = (".", "Frames", "images", "rgb")
_DEPTHS = (".", "Pixelwise Depths", "depths", "depth")
_PROBES = 8


def open_vrcaps(folder: Path, options: ReadOptions = AS_RECORDED) -> Recording:
    """The folder of one recording.

    Raises:
        RecipeError: files are missing or of the wrong kind, poses cannot be told apart, or depth
            follows the picture's brightness in neither direction.
    """
    return open_recorder(need_folder(folder, "VR-Caps"), options, options.camera or MIROCAM)


def open_recorder(folder: Path, options: ReadOptions, camera: Camera | None) -> Recording:
    """A recording of Unity's recorders, in VR-Caps' or EndoSLAM's folders.

    Raises:
        RecipeError: as `open_vrcaps`.
    """
    images = _first(folder, _PICTURES, r"(?:image|frame)_(\d+)\.(?:png|jpe?g)")
    if not images:
        raise RecipeError(
            f"{folder} has no image_0000.png, nor has its folder Frames or images.",
            "Name the folder of one recording.",
        )
    depths = pair_depth(folder, images, _first(folder, _DEPTHS, r"aov_image_(\d+)\.png"))
    poses = _poses(folder, images, options)
    files = [FrameFiles(path.stem, path, depths[n], poses.get(n)) for n, path in images.items()]
    notes = [NOTE]
    read_depth, told = _depth_reader(files, options)
    if read_depth is None:
        files = [FrameFiles(each.name, each.image, None, each.pose) for each in files]
    return Recording(files, camera, read_depth or _no_depth, (*notes, *told))


def _first(folder: Path, places: Sequence[str], pattern: str) -> dict[int, Path]:
    for place in places:
        found = numbered(folder / place, pattern)
        if found:
            return found
    return {}


def _poses(folder: Path, images: dict[int, Path], options: ReadOptions) -> dict[int, Floats]:
    """Pose (4, 4) of every frame that has one, by the frame's number."""
    tables = sorted([*folder.glob("*position_rotation.csv"), *folder.glob("Poses/*_rotation.csv")])
    if not tables or options.unit_mm is None:
        return {}
    rows = read_table(tables[0], 8, ",", header=1)
    poses = poses_from_unity(rows[:, :3], rows[:, 3:7], options.unit_mm, tables[0])
    if options.rate_hz is None:
        if len(rows) != len(images):
            raise RecipeError(
                f"{tables[0]} has {len(rows)} poses for {len(images)} frames.",
                "Tell the frame rate: a frame's pose is then found by its time.",
            )
        return dict(zip(images, poses, strict=True))
    clock = rows[:, 7]
    found: dict[int, Floats] = {}
    for number in images:
        nearest = int(np.argmin(np.abs(clock - number / options.rate_hz)))
        # Recordings run on for a few frames after the last pose: those have none.
        if abs(clock[nearest] - number / options.rate_hz) <= 0.75 / options.rate_hz:
            found[number] = poses[nearest]
    return found


def _depth_reader(
    files: Sequence[FrameFiles], options: ReadOptions
) -> tuple[DepthReader | None, tuple[str, ...]]:
    """How to read depth, if it can be, and what to tell about it."""
    with_depth = [each for each in files if each.depth is not None]
    if not with_depth:
        return None, ()
    if options.white_mm is None:
        return None, ("Depth is left out: the recording does not say how far white is.",)
    white = options.white_mm
    is_near_white = options.is_near_white
    if is_near_white is None:
        step = max(1, len(with_depth) // _PROBES)
        is_near_white = find_polarity(with_depth[::step][:_PROBES])

    def read(path: Path) -> Depth:
        grey = read_relative(path).astype(np.float32) / 255
        far = 1 - grey if is_near_white else grey
        return np.where(grey > 0, far * np.float32(white), 0).astype(np.float32)

    return read, (f"Depth: bright is {'near' if is_near_white else 'far'}, in 8 bits.",)


def _no_depth(path: Path) -> Depth:
    raise RecipeError(f"{path} is not read.", "Tell how far white is.")


def read_relative(path: Path) -> NDArray[np.uint8]:
    """(H, W) grey of a depth file.

    Raises:
        RecipeError: it has colours, or is black all over.
    """
    grey = read_grey8(path)
    colours = read_picture(path).astype(int)
    if np.abs(colours - colours[..., :1]).max() > 8:
        raise RecipeError(
            f"{path} holds colours, not depth.", "Record it again with the AOV recorder's depth."
        )
    if not grey.any():
        raise RecipeError(
            f"{path} is black all over.", "Record it again; the AOV recorder needs an HDRP scene."
        )
    return grey


def find_polarity(files: Sequence[FrameFiles]) -> bool:
    """Whether bright means near, by rank correlation with the pictures' brightness.

    Raises:
        RecipeError: neither direction is clear.
    """
    found = [
        brightness_correlation(read_picture(each.image), read_relative(each.depth))
        for each in files
        if each.depth is not None
    ]
    mean = float(np.mean(found))
    if abs(mean) < 0.1:
        raise RecipeError(
            f"Depth does not follow the brightness of the pictures (correlation {mean:+.2f}).",
            "Tell whether bright means near in the depth files.",
        )
    return mean > 0


def brightness_correlation(image: Image, grey: NDArray[np.uint8]) -> float:
    """Spearman's rank correlation of a picture's brightness with its depth file's grey."""
    small = (64, 64)
    light = cv2.resize(image.max(axis=2), small, interpolation=cv2.INTER_AREA).ravel()
    depth = cv2.resize(grey, small, interpolation=cv2.INTER_NEAREST).ravel()
    known = depth > 0
    if np.ptp(light[known]) == 0 or np.ptp(depth[known]) == 0:
        return 0.0
    ranks = np.stack([rankdata(light[known]), rankdata(depth[known])])
    return float(np.corrcoef(ranks)[0, 1])
