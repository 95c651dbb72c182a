"""EndoSLAM: Unity renderings of VR-Caps, and real recordings in porcine organs.

Özyörük et al., "EndoSLAM dataset and an unsupervised monocular visual odometry and depth
estimation approach for endoscopic videos", Medical Image Analysis 2021; data Mendeley
cd2rtzm23r; github.com/CapsuleEndoscope/EndoSLAM (issues 13, 15, 17, 22, 24, 26). Folders:

    UnityCam/Calibration/cam.txt                            fx s cx 0 fy cy 0 0 1
    UnityCam/Colon/Frames/image_0000.png                    RGB, 320×320, 30 a second
    UnityCam/Colon/Pixelwise Depths/aov_image_0000.png      8 bits (RGBA, red counts)
    UnityCam/Colon/Poses/colon_position_rotation.csv        as VR-Caps, 30 lines a second
    Cameras/HighCam/Calibration/cam.txt                     of a real camera
    Cameras/HighCam/Colon-IV/TumorfreeTrajectory_1/Frames/  frame_000060.jpg, without depth

- All that `train.simulate.layouts.vrcaps` says of depth, units and distortion holds here; the
  unit was asked for four times and never told, and depth is not aligned with the pictures.
- The pose file is a few lines shorter than the frames: the last frames have no pose.
- The colon's rotations are all the same (issue 17): its poses are translations only.
- Poses of the real cameras are kept in spreadsheets, in a robot's axes; they are not read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.errors import RecipeError
from train.simulate.camera import Camera
from train.simulate.layouts.files import need_folder, numbered, read_picture, read_pinhole
from train.simulate.layouts.recording import AS_RECORDED, ReadOptions, Recording
from train.simulate.layouts.vrcaps import open_recorder

_RATE_HZ = 30.0


def open_endoslam(folder: Path, options: ReadOptions = AS_RECORDED) -> Recording:
    """The folder of one organ of UnityCam, or of one trajectory of a real camera.

    Raises:
        RecipeError: as `open_vrcaps`, or no calibration is found.
    """
    need_folder(folder, "EndoSLAM")
    frames = folder / "Frames"
    if not frames.is_dir():
        raise RecipeError(f"{folder} has no folder Frames.", "Name an organ, or a trajectory.")
    images = numbered(frames, r"(?:image|frame)_(\d+)\.(?:png|jpe?g)")
    if not images:
        raise RecipeError(f"{frames} has no image_0000.png.", "Unpack the frames there.")
    rated = replace(options, rate_hz=options.rate_hz or _RATE_HZ)
    camera = options.camera or _calibration(folder, next(iter(images.values())))
    return open_recorder(folder, rated, camera)


def _calibration(folder: Path, image: Path) -> Camera:
    """The nearest `Calibration/cam*.txt` above; some copies are called `cam.txt.txt`."""
    for above in (folder, *folder.resolve().parents[:3]):
        found = sorted((above / "Calibration").glob("cam*.txt"))
        if found:
            height, width = read_picture(image).shape[:2]
            return read_pinhole(found[0], width, height)
    raise RecipeError(
        f"No Calibration/cam.txt beside or above {folder}.", "Copy it from the camera's folder."
    )
