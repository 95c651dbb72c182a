"""SimCol3D's conventions, by hand and on bad input."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.layouts import open_recording
from train.simulate.layouts.simcol3d import read_depth


@pytest.fixture
def colon(tmp_path: Path) -> Path:
    """One trajectory of two frames, with a fourth channel as Unity writes it."""
    frames = tmp_path / "SyntheticColon_I/Frames_S3"
    frames.mkdir(parents=True)
    for number in range(2):
        picture = np.dstack([np.full((19, 19), level, np.uint8) for level in (10, 20, 30, 255)])
        cv2.imwrite(str(frames / f"FrameBuffer_{number:04d}.png"), picture)
        cv2.imwrite(str(frames / f"Depth_{number:04d}.png"), np.full((19, 19), 3264, np.uint16))
    colon = frames.parent
    (colon / "cam.txt").write_text("9.1 0 9.1 0 9.5 9.5 0 0 1")
    (colon / "SavedPosition_S3.txt").write_text("1 2 3\n-1 0.5 0\n")
    half = np.sqrt(0.5)
    turns = f"0 0 0 1\n{half} 0 0 {half}\n"
    (colon / "SavedRotationQuaternion_S3.txt").write_text(turns)
    return colon


def test_depth_by_hand(tmp_path: Path) -> None:
    """Half of the range is 10 cm; its end is clipped, not measured."""
    cv2.imwrite(str(tmp_path / "d.png"), np.array([[0, 32640, 65280, 65535]], np.uint16))
    assert read_depth(tmp_path / "d.png")[0] == pytest.approx([0, 100, 0, 0])


def test_positions_are_cm_with_y_up(colon: Path) -> None:
    pose = open_recording("simcol3d", colon / "Frames_S3")[0].pose
    assert pose is not None
    assert pose[:3, 3].tolist() == [10, -20, 30]


def test_a_turn_about_x_changes_its_sense(colon: Path) -> None:
    """Unity's 90° about x tips forward (z) down (−y); down is +y here."""
    pose = open_recording("simcol3d", colon / "Frames_S3")[1].pose
    assert pose is not None
    assert pose[:3, :3] @ (0, 0, 1) == pytest.approx([0, 1, 0])


def test_pictures_are_rgb_without_the_fourth_channel(colon: Path) -> None:
    assert open_recording("simcol3d", colon)[0].image[0, 0].tolist() == [30, 20, 10]


def test_the_calibration_is_the_colons(colon: Path) -> None:
    camera = open_recording("simcol3d", colon).camera
    assert camera is not None
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (9.1, 9.5, 9.1, 9.5)


def test_which_of_several_trajectories_must_be_told(colon: Path) -> None:
    (colon / "Frames_S4").mkdir()
    with pytest.raises(RecipeError, match="Frames_S3, Frames_S4"):
        open_recording("simcol3d", colon)


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no folder"):
        open_recording("simcol3d", tmp_path / "Frames_S1")


def test_a_folder_without_frames_is_explained(colon: Path) -> None:
    (colon / "Frames_S4").mkdir()
    with pytest.raises(RecipeError, match="no FrameBuffer"):
        open_recording("simcol3d", colon / "Frames_S4")


@pytest.mark.parametrize("name", ["SavedPosition_S3.txt", "SavedRotationQuaternion_S3.txt"])
def test_a_missing_pose_file_is_named(name: str, colon: Path) -> None:
    (colon / name).unlink()
    with pytest.raises(RecipeError, match=name):
        open_recording("simcol3d", colon)


def test_a_missing_calibration_is_named(colon: Path) -> None:
    (colon / "cam.txt").unlink()
    with pytest.raises(RecipeError, match=r"cam\.txt"):
        open_recording("simcol3d", colon)


@pytest.mark.parametrize("text", ["1 2 3", "1 2 3 4 5 6 7 8 nine", "0 0 0 0 0 0 0 0 0"])
def test_a_calibration_that_is_none_is_refused(text: str, colon: Path) -> None:
    (colon / "cam.txt").write_text(text)
    with pytest.raises(RecipeError, match="nine numbers"):
        open_recording("simcol3d", colon)


def test_different_numbers_of_positions_and_rotations_are_refused(colon: Path) -> None:
    (colon / "SavedPosition_S3.txt").write_text("1 2 3\n")
    with pytest.raises(RecipeError, match="has 1 lines"):
        open_recording("simcol3d", colon)


def test_fewer_poses_than_frames_are_refused(colon: Path) -> None:
    (colon / "SavedPosition_S3.txt").write_text("1 2 3\n")
    (colon / "SavedRotationQuaternion_S3.txt").write_text("0 0 0 1\n")
    with pytest.raises(RecipeError, match="1 poses"):
        open_recording("simcol3d", colon)


def test_a_rotation_that_is_none_is_refused(colon: Path) -> None:
    (colon / "SavedRotationQuaternion_S3.txt").write_text("0 0 0 1\n0 0 0 0\n")
    with pytest.raises(RecipeError, match="rotation 1 has length 0"):
        open_recording("simcol3d", colon)


def test_a_pose_in_words_is_named_by_its_line(colon: Path) -> None:
    (colon / "SavedPosition_S3.txt").write_text("1 2 3\nhere and there\n")
    with pytest.raises(RecipeError, match="line 2"):
        open_recording("simcol3d", colon)


def test_depth_with_8_bits_is_refused(colon: Path) -> None:
    cv2.imwrite(str(colon / "Frames_S3/Depth_0001.png"), np.full((19, 19), 9, np.uint8))
    recording = open_recording("simcol3d", colon)
    with pytest.raises(RecipeError, match="8 bits"):
        recording[1]
