"""Unity's left-handed poses, by hand and there and back."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from engine.errors import RecipeError
from train.simulate.layouts.unity import poses_from_unity, poses_to_unity


def test_poses_come_back() -> None:
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(np.arange(15.0).reshape(5, 3) / 6).as_matrix()
    poses[:, :3, 3] = np.arange(15.0).reshape(5, 3) * 100
    positions, quaternions = poses_to_unity(poses, 10.0)
    found = poses_from_unity(positions, quaternions, 10.0, Path("poses.txt"))
    assert found == pytest.approx(poses, abs=1e-9)


def test_a_right_handed_pose_stays_a_rotation() -> None:
    quaternion = np.array([[0.5, 0.5, 0.5, 0.5]])
    pose = poses_from_unity(np.zeros((1, 3)), quaternion, 1.0, Path("poses.txt"))[0]
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)


def test_up_becomes_minus_y() -> None:
    at = np.array([[0.0, 2.0, 0.0]])
    pose = poses_from_unity(at, np.array([[0.0, 0, 0, 1]]), 1.0, Path("poses.txt"))[0]
    assert pose[:3, 3].tolist() == [0, -2, 0]


def test_what_is_no_rotation_is_named() -> None:
    with pytest.raises(RecipeError, match=r"poses\.txt: rotation 0 has length 2"):
        poses_from_unity(np.zeros((1, 3)), np.array([[0, 0, 0, 2.0]]), 1.0, Path("poses.txt"))
