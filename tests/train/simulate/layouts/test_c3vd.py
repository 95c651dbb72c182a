"""C3VD's conventions, by hand, on bad input, and on frames of the real phantom."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.camera import Pinhole
from train.simulate.layouts import ReadOptions, open_recording
from train.simulate.layouts.agreement import agreement
from train.simulate.layouts.c3vd import encode_normal, read_depth, read_poses

PHANTOM = Path(__file__).resolve().parents[5] / "shared/data/c3vd_phantom"
needs_phantom = pytest.mark.skipif(
    not PHANTOM.is_dir(), reason="the phantom's frames are not on this machine"
)
POSE = "1,0,0,0,0,1,0,0,0,0,1,0,5,6,7,1"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Two frames of 20×16 pixels."""
    for number in range(2):
        picture = np.full((16, 20, 3), 40 * number + 60, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:04d}_color.png"), picture)
        depth = np.full((16, 20), 13107, np.uint16)
        cv2.imwrite(str(tmp_path / f"{number:04d}_depth.tiff"), depth)
    (tmp_path / "pose.txt").write_text(f"{POSE}\n{POSE}\n")
    return tmp_path


def test_depth_by_hand(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.tiff"), np.array([[0, 13107, 32768, 65535]], np.uint16))
    assert read_depth(tmp_path / "d.tiff")[0] == pytest.approx([0, 20, 50.0008, 0], abs=1e-4)


def test_normals_by_hand() -> None:
    normal = np.array([[[0.0, 1.0, -1.0], [0.0, 0.0, -1.0]]], np.float32)
    encoded = encode_normal(normal, np.array([[9, 0]], np.uint16))
    assert encoded.tolist() == [[[32768, 65535, 0], [0, 0, 0]]]


@pytest.mark.parametrize("line", [POSE, "1,0,0,5,0,1,0,6,0,0,1,7,0,0,0,1"])
def test_the_translation_tells_the_order_of_the_numbers(line: str, tmp_path: Path) -> None:
    (tmp_path / "pose.txt").write_text(line + "\n")
    assert read_poses(tmp_path / "pose.txt")[0, :3, 3].tolist() == [5, 6, 7]


def test_a_turn_is_read_column_after_column(tmp_path: Path) -> None:
    """The camera's x axis is the world's y: the first column is (0, 1, 0)."""
    (tmp_path / "pose.txt").write_text("0,1,0,0,-1,0,0,0,0,0,1,0,5,6,7,1\n")
    x_axis = read_poses(tmp_path / "pose.txt")[0, :3, :3] @ (1.0, 0.0, 0.0)
    assert x_axis.tolist() == [0, 1, 0]


def test_a_video_is_read(video: Path) -> None:
    frames = list(open_recording("c3vd", video))
    assert [frame.name for frame in frames] == ["0000_color", "0001_color"]
    assert frames[1].depth_mm == pytest.approx(np.full((16, 20), 20.0))


def test_the_layout_of_defcol_is_read(video: Path) -> None:
    for name in ("rgb", "depth"):
        (video / name).mkdir()
    for number in range(2):
        (video / f"{number:04d}_color.png").rename(video / f"rgb/{number:04d}.png")
        cv2.imwrite(
            str(video / f"depth/{number:04d}_depth.png"), np.full((16, 20), 16384, np.uint16)
        )
        (video / f"{number:04d}_depth.tiff").unlink()
    depth = open_recording("c3vd", video)[0].depth_mm
    assert depth == pytest.approx(np.full((16, 20), 25.0), abs=1e-2)


def test_a_video_without_any_depth_is_read(video: Path) -> None:
    for path in video.glob("*_depth.tiff"):
        path.unlink()
    assert open_recording("c3vd", video)[0].depth_mm is None


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no folder"):
        open_recording("c3vd", tmp_path / "nowhere")


def test_an_empty_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="0000_color"):
        open_recording("c3vd", tmp_path)


def test_missing_poses_are_explained(video: Path) -> None:
    (video / "pose.txt").unlink()
    with pytest.raises(RecipeError, match=r"pose\.txt cannot be read"):
        open_recording("c3vd", video)


def test_fewer_poses_than_frames_are_refused(video: Path) -> None:
    (video / "pose.txt").write_text(f"{POSE}\n")
    with pytest.raises(RecipeError, match="1 poses"):
        open_recording("c3vd", video)


def test_a_frame_without_depth_among_others_is_named(video: Path) -> None:
    (video / "0001_depth.tiff").unlink()
    with pytest.raises(RecipeError, match="0001_color"):
        open_recording("c3vd", video)


@pytest.mark.parametrize("line", ["1,0,0,what", "1,0,0,0", POSE.replace("5", "nan")])
def test_an_unreadable_pose_is_named_by_its_line(line: str, video: Path) -> None:
    (video / "pose.txt").write_text(f"{POSE}\n{line}\n")
    with pytest.raises(RecipeError, match="line 2"):
        open_recording("c3vd", video)


@pytest.mark.parametrize("line", [POSE.replace("1,0,0,0", "2,0,0,0"), "-" + POSE, POSE[:-1] + "3"])
def test_what_is_no_rigid_motion_is_refused(line: str, video: Path) -> None:
    (video / "pose.txt").write_text(f"{POSE}\n{line}\n")
    with pytest.raises(RecipeError, match="pose 2 is no rigid motion"):
        open_recording("c3vd", video)


def test_depth_with_8_bits_is_refused(video: Path) -> None:
    cv2.imwrite(str(video / "0001_depth.tiff"), np.full((16, 20), 30, np.uint8))
    recording = open_recording("c3vd", video)
    with pytest.raises(RecipeError, match="8 bits"):
        recording[1]


def test_depth_of_another_size_is_refused(video: Path) -> None:
    cv2.imwrite(str(video / "0001_depth.tiff"), np.full((8, 10), 30, np.uint16))
    recording = open_recording("c3vd", video)
    with pytest.raises(RecipeError, match="10×8"):
        recording[1]


def test_a_damaged_picture_is_explained(video: Path) -> None:
    (video / "0000_color.png").write_bytes(b"no picture")
    recording = open_recording("c3vd", video)
    with pytest.raises(RecipeError, match="not a readable picture"):
        recording[0]


def test_a_cropped_picture_needs_its_own_camera(video: Path) -> None:
    cv2.imwrite(str(video / "0000_color.png"), np.zeros((20, 20, 3), np.uint8))
    cv2.imwrite(str(video / "0000_depth.tiff"), np.zeros((20, 20), np.uint16))
    recording = open_recording("c3vd", video)
    with pytest.raises(RecipeError, match="cropped"):
        recording[0]


def test_a_calibration_without_its_numbers_is_explained(video: Path) -> None:
    (video / "config.ini").write_text("width = 20\nheight = 16\n")
    with pytest.raises(RecipeError, match="a2"):
        open_recording("c3vd", video)


@needs_phantom
@pytest.mark.parametrize("number", [0, 4, 8])
def test_frames_of_the_phantom_agree(number: int) -> None:
    """Axis, unit, order of the pose and kind of depth, all at once: 1 in 1000 of the depth."""
    recording = open_recording("c3vd", PHANTOM)
    assert agreement(recording[number], recording[number + 1]).median < 1e-3


@needs_phantom
def test_the_first_and_last_frame_of_the_phantom_agree() -> None:
    recording = open_recording("c3vd", PHANTOM)
    assert agreement(recording[0], recording[9]).median < 2e-3


@needs_phantom
def test_transposed_rotations_do_not_agree() -> None:
    recording = open_recording("c3vd", PHANTOM)
    one, other = (replace(recording[n], pose=_turned_back(recording[n].pose)) for n in (0, 9))
    assert agreement(one, other).median > 0.02


def _turned_back(pose: np.ndarray | None) -> np.ndarray:
    assert pose is not None
    turned = pose.copy()
    turned[:3, :3] = pose[:3, :3].T
    return turned


@needs_phantom
def test_depth_along_the_ray_does_not_agree() -> None:
    one, other = (open_recording("c3vd", PHANTOM)[number] for number in (0, 9))
    assert one.camera is not None and one.depth_mm is not None
    along = replace(one, depth_mm=one.depth_mm * one.camera.rays()[..., 2].astype(np.float32))
    assert agreement(along, other).median > 0.01


@needs_phantom
def test_a_pinhole_calibration_fits_the_raw_frames_worse() -> None:
    """EndoGSLAM's, for 675×540: right in the middle, wrong towards the border."""
    pinhole = Pinhole(675, 540, 401.1595, 400.9425, 334.143, 273.8665)
    recording = open_recording("c3vd", PHANTOM, ReadOptions(camera=pinhole))
    assert 0.01 < agreement(recording[4], recording[5]).median < 0.05
