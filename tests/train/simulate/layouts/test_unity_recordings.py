"""VR-Caps and EndoSLAM: what their recorders leave open must be told or measured."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.layouts import ReadOptions, open_recording

SIZE = 32
TOLD = ReadOptions(unit_mm=10.0, white_mm=100.0)


def grey_ramp() -> np.ndarray:
    """(SIZE, SIZE) from 55 on the left to 210 on the right."""
    return np.tile(np.linspace(55, 210, SIZE).astype(np.uint8), (SIZE, 1))


def write_depth(path: Path, grey: np.ndarray) -> None:
    """As the AOV recorder: the same grey in three channels, and an opaque fourth."""
    cv2.imwrite(str(path), np.dstack([grey, grey, grey, np.full_like(grey, 255)]))


def write_recording(folder: Path, depths: str = ".", images: str = ".", poses: str = ".") -> None:
    """Four frames, bright on the left: near there. Depth grows with its grey."""
    for place in {depths, images, poses}:
        (folder / place).mkdir(parents=True, exist_ok=True)
    light = grey_ramp()[:, ::-1]
    for number in range(4):
        cv2.imwrite(str(folder / images / f"image_{number:04d}.png"), np.dstack([light] * 3))
        write_depth(folder / depths / f"aov_image_{number:04d}.png", grey_ramp())
    rows = [f"0.{number},1,2,0,0,0,1,{number / 30:.5f}" for number in range(4)]
    text = "\n".join(["tX,tY,tZ,rX,rY,rZ,rW,time(s)", *rows]) + "\n"
    (folder / poses / "colon_position_rotation.csv").write_text(text)


@pytest.fixture
def vrcaps(tmp_path: Path) -> Path:
    write_recording(tmp_path / "take")
    return tmp_path / "take"


@pytest.fixture
def endoslam(tmp_path: Path) -> Path:
    organ = tmp_path / "UnityCam/Colon"
    write_recording(organ, "Pixelwise Depths", "Frames", "Poses")
    (tmp_path / "UnityCam/Calibration").mkdir()
    (tmp_path / "UnityCam/Calibration/cam.txt").write_text("156 0 17.8\n0 155.7 18.1\n0 0 1\n")
    return organ


@pytest.mark.parametrize("layout", ["vrcaps", "endoslam"])
def test_a_whole_recording_is_read(layout: str, request: pytest.FixtureRequest) -> None:
    frame = open_recording(layout, request.getfixturevalue(layout), TOLD)[3]
    assert frame.depth_mm is not None and frame.pose is not None
    assert frame.depth_mm[0, 0] == pytest.approx(100 * 55 / 255, abs=1e-3)
    assert frame.pose[:3, 3] == pytest.approx([3, -10, 20])


def test_without_a_scale_there_are_no_millimetres(vrcaps: Path) -> None:
    recording = open_recording("vrcaps", vrcaps)
    assert recording[0].depth_mm is None and recording[0].pose is None
    assert "left out" in recording.notes[1]


def test_reversed_depth_is_turned_round(vrcaps: Path) -> None:
    for path in vrcaps.glob("aov_image_*.png"):
        write_depth(path, 255 - grey_ramp())
    depth = open_recording("vrcaps", vrcaps, TOLD)[0].depth_mm
    assert depth is not None
    assert depth[0, 0] == pytest.approx(100 * 55 / 255, abs=1e-3)


def test_the_direction_can_be_told(vrcaps: Path) -> None:
    told = ReadOptions(white_mm=100.0, is_near_white=True)
    depth = open_recording("vrcaps", vrcaps, told)[0].depth_mm
    assert depth is not None
    assert depth[0, 0] == pytest.approx(100 * 200 / 255, abs=1e-3)


def test_grey_0_is_unknown(vrcaps: Path) -> None:
    grey = grey_ramp()
    grey[:4] = 0
    write_depth(vrcaps / "aov_image_0000.png", grey)
    depth = open_recording("vrcaps", vrcaps, TOLD)[0].depth_mm
    assert depth is not None
    assert not depth[:4].any() and depth[4:].all()


def test_depth_without_a_direction_is_refused(vrcaps: Path) -> None:
    for path in vrcaps.glob("aov_image_*.png"):
        write_depth(path, grey_ramp().T)
    with pytest.raises(RecipeError, match="does not follow the brightness"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_black_depth_is_refused(vrcaps: Path) -> None:
    for path in vrcaps.glob("aov_image_*.png"):
        write_depth(path, np.zeros((SIZE, SIZE), np.uint8))
    with pytest.raises(RecipeError, match="black all over"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_colours_instead_of_depth_are_refused(vrcaps: Path) -> None:
    picture = np.dstack([grey_ramp(), grey_ramp() // 2, grey_ramp() // 3])
    cv2.imwrite(str(vrcaps / "aov_image_0000.png"), picture)
    with pytest.raises(RecipeError, match="holds colours"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_poses_that_are_not_one_per_frame_need_a_rate(vrcaps: Path) -> None:
    (vrcaps / "image_0003.png").unlink()
    with pytest.raises(RecipeError, match="4 poses for 3 frames"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_a_pose_is_found_by_its_time(vrcaps: Path) -> None:
    """At 15 frames a second, frame 1 is shown at 1/15 s: the third line."""
    told = ReadOptions(unit_mm=10.0, rate_hz=15.0)
    pose = open_recording("vrcaps", vrcaps, told)[1].pose
    assert pose is not None
    assert pose[0, 3] == pytest.approx(2)


def test_frames_after_the_last_pose_have_none(endoslam: Path) -> None:
    poses = endoslam / "Poses/colon_position_rotation.csv"
    poses.write_text("\n".join(poses.read_text().splitlines()[:-1]) + "\n")
    found = [frame.pose is not None for frame in open_recording("endoslam", endoslam, TOLD)]
    assert found == [True, True, True, False]


def test_a_pose_in_words_is_named_by_its_line(vrcaps: Path) -> None:
    path = vrcaps / "colon_position_rotation.csv"
    path.write_text(path.read_text() + "0,0,0\n")
    with pytest.raises(RecipeError, match="line 6"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_endoslams_calibration_is_found_above(endoslam: Path) -> None:
    camera = open_recording("endoslam", endoslam).camera
    assert camera is not None
    assert (camera.fx, camera.cy) == (156, 18.1)


def test_a_real_camera_has_pictures_only(tmp_path: Path) -> None:
    path = tmp_path / "Cameras/HighCam/Colon-IV/TumorfreeTrajectory_1"
    (path / "Frames").mkdir(parents=True)
    cv2.imwrite(str(path / "Frames/frame_000060.jpg"), np.dstack([grey_ramp()] * 3))
    (tmp_path / "Cameras/HighCam/Calibration").mkdir()
    (tmp_path / "Cameras/HighCam/Calibration/cam.txt.txt").write_text("9 0 16 0 9 16 0 0 1")
    frame = open_recording("endoslam", path, TOLD)[0]
    assert (frame.name, frame.depth_mm, frame.pose) == ("frame_000060", None, None)


def test_a_missing_calibration_is_explained(endoslam: Path) -> None:
    (endoslam.parent / "Calibration/cam.txt").unlink()
    with pytest.raises(RecipeError, match=r"No Calibration/cam\.txt"):
        open_recording("endoslam", endoslam)


@pytest.mark.parametrize("layout", ["vrcaps", "endoslam"])
def test_a_missing_folder_is_explained(layout: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no folder"):
        open_recording(layout, tmp_path / "nowhere")


@pytest.mark.parametrize("layout", ["vrcaps", "endoslam"])
def test_an_empty_folder_is_explained(layout: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"image_0000\.png|no folder Frames"):
        open_recording(layout, tmp_path)


def test_frames_that_lack_depth_are_named(vrcaps: Path) -> None:
    (vrcaps / "aov_image_0002.png").unlink()
    with pytest.raises(RecipeError, match=r"image_0002\.png"):
        open_recording("vrcaps", vrcaps, TOLD)


def test_depth_with_16_bits_is_refused(vrcaps: Path) -> None:
    cv2.imwrite(str(vrcaps / "aov_image_0000.png"), grey_ramp().astype(np.uint16))
    with pytest.raises(RecipeError, match="16 bits"):
        open_recording("vrcaps", vrcaps, TOLD)
