"""Two sets of a straight tube, small and exact: one through a pinhole, one through a fisheye."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from train.simulate.camera import Camera, Fisheye, Pinhole
from train.simulate.dataset import DISTANCE_UNIT_MM, SCHEMA, Flag, SimulatedSet

RADIUS_MM = 20.0
END_MM = 90.0


def tube_poses() -> np.ndarray:
    """Three poses near a tube's axis (z of the world), each looking a little elsewhere."""
    poses = np.tile(np.eye(4), (3, 1, 1))
    for number, angle in enumerate((0.0, 0.12, -0.2)):
        cosine, sine = np.cos(angle), np.sin(angle)
        poses[number, :3, :3] = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]) @ (
            np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        )
        poses[number, :3, 3] = (3.0 * number, -2.0, 4.0 * number + 100)
    return poses


def tube_distance(pose: np.ndarray, rays: np.ndarray) -> np.ndarray:
    """Distance along the ray to the wall of the tube, or to its end, (H, W)."""
    eye = pose[:3, 3]
    across = rays @ pose[:3, :3].T
    a = across[..., 0] ** 2 + across[..., 1] ** 2
    b = across[..., 0] * eye[0] + across[..., 1] * eye[1]
    c = eye[0] ** 2 + eye[1] ** 2 - RADIUS_MM**2
    wall = (-b + np.sqrt(b * b - a * c)) / np.maximum(a, 1e-12)
    end = np.where(
        across[..., 2] > 1e-6, (END_MM + 100 - eye[2]) / np.maximum(across[..., 2], 1e-6), np.inf
    )
    return np.minimum(wall, end)


def write_tube(folder: Path, camera: Camera) -> SimulatedSet:
    """One test sequence of the tube; a ring at 30 to 40 mm along it is fold 7."""
    rays, poses = camera.rays(), tube_poses()
    kept: dict[str, list[np.ndarray]] = {"distance": [], "flags": [], "instances": []}
    for pose in poses:
        distance = np.where(camera.sees(), tube_distance(pose, rays), 0)
        height = (distance[..., None] * rays @ pose[:3, :3].T + pose[:3, 3])[..., 2] - 100
        ring = (height > 30) & (height < 40) & (distance > 0)
        edge = ring & (height < 32)
        flags = (distance > 0) * int(Flag.VALID) + ring * int(Flag.FOLD) + edge * int(Flag.EDGE)
        kept["distance"].append(np.round(distance / DISTANCE_UNIT_MM).astype(np.uint16))
        kept["flags"].append(flags.astype(np.uint8))
        kept["instances"].append((ring * 7).astype(np.uint16))
    normal = np.zeros((3, camera.height, camera.width, 3), np.int8)
    normal[..., 2] = -127
    sequence = folder / "tube"
    sequence.mkdir(parents=True)
    for key, arrays in kept.items():
        np.save(sequence / f"{key}.npy", np.stack(arrays))
    np.save(sequence / "normal.npy", normal)
    np.save(sequence / "poses.npy", poses)
    about = {"frames": 3, "camera": camera.as_dict(), "seed": 1, "anatomy": "tube"}
    (sequence / "sequence.json").write_text(json.dumps(about))
    splits = {"train": [], "validation": [], "test": ["tube"]}
    (folder / "manifest.json").write_text(json.dumps({"schema": SCHEMA, "splits": splits}))
    return SimulatedSet(folder)


@pytest.fixture(scope="session")
def tube_set() -> Callable[[Path, Camera], SimulatedSet]:
    """Writes such a set into a folder, seen by a camera."""
    return write_tube


@pytest.fixture(scope="session")
def pinhole_set(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSet:
    """48×36 pixels, not square, centre off the middle."""
    camera = Pinhole(48, 36, 30.0, 33.0, 22.0, 18.5)
    return write_tube(tmp_path_factory.mktemp("pinhole"), camera)


@pytest.fixture(scope="session")
def fisheye_set(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSet:
    """96×96 pixels of a colonoscope."""
    camera = Fisheye.colonoscope(96, float(np.radians(65)))
    return write_tube(tmp_path_factory.mktemp("fisheye"), camera)
