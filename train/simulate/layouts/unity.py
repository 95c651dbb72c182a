"""Poses as Unity keeps them, and back.

Unity's axes are x right, y up, z forward: left-handed. Turning y round on both sides of a pose,
`M P M` with M = diag(1, -1, 1, 1), gives x right, y down, z forward: right-handed, and the same
z. The set's authors do so (github.com/anitarau/simcol, `data_helpers/visualize_3D_data.py`).
Quaternions are stored x, y, z, w.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from engine.errors import RecipeError
from train.simulate.camera import Floats

_FLIP = np.diag([1.0, -1.0, 1.0])


def poses_from_unity(positions: Floats, quaternions: Floats, unit_mm: float, path: Path) -> Floats:
    """(n, 4, 4) camera to world, mm.

    Args:
        positions: (n, 3) in Unity's units.
        quaternions: (n, 4) x, y, z, w.
        unit_mm: millimetres of one unit.
        path: the file the quaternions came from, for the error.

    Raises:
        RecipeError: a quaternion is not of length 1.
    """
    lengths = np.linalg.norm(quaternions, axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > 0.02)
    if len(wrong):
        raise RecipeError(
            f"{path}: rotation {wrong[0]} has length {lengths[wrong[0]]:.3g} instead of 1.",
            "A rotation is a unit quaternion x y z w; restore the file.",
        )
    poses = np.tile(np.eye(4), (len(positions), 1, 1))
    poses[:, :3, :3] = _FLIP @ Rotation.from_quat(quaternions).as_matrix() @ _FLIP
    poses[:, :3, 3] = positions @ _FLIP * unit_mm
    return poses


def poses_to_unity(poses: Floats, unit_mm: float) -> tuple[Floats, Floats]:
    """Positions (n, 3) in units of `unit_mm` and quaternions (n, 4) x, y, z, w."""
    turned = Rotation.from_matrix(_FLIP @ poses[:, :3, :3] @ _FLIP)
    return poses[:, :3, 3] @ _FLIP / unit_mm, np.asarray(turned.as_quat())
