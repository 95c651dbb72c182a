"""A sequence with pictures, made in milliseconds."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from train.simulate.camera import Pinhole
from train.simulate.dataset import DISTANCE_UNIT_MM, SCHEMA, Flag

SIZE = 96


def write_clip(folder: Path, frames: int = 4) -> None:
    """A wall across the view with two bars for folds; the camera steps a pixel aside a frame."""
    (folder / "image").mkdir(parents=True)
    camera = Pinhole(SIZE, SIZE, SIZE / 2, SIZE / 2, (SIZE - 1) / 2, (SIZE - 1) / 2)
    wall_mm = SIZE / 2 / camera.rays()[..., 2]
    poses = np.repeat(np.eye(4)[None], frames, axis=0)
    poses[:, 0, 3] = np.arange(frames)  # one pixel is one millimetre
    world = np.zeros((SIZE, SIZE + frames), np.uint16)
    world[20:32, 10:80], world[60:70, 25:90] = 3, 8
    texture = cv2.GaussianBlur(
        np.random.default_rng(1).integers(0, 256, (SIZE, SIZE + frames, 3)).astype(np.uint8),
        (0, 0), 2,
    )  # fmt: skip
    texture = np.clip((texture.astype(int) - 128) * 4 + 128, 0, 255).astype(np.uint8)
    instances = np.stack([world[:, i : i + SIZE] for i in range(frames)])
    flags = np.full(instances.shape, Flag.VALID, np.uint8) | (instances > 0) * np.uint8(Flag.FOLD)
    arrays = {
        "distance": np.repeat((wall_mm / DISTANCE_UNIT_MM).astype(np.uint16)[None], frames, 0),
        "normal": np.full((frames, SIZE, SIZE, 3), (0, 0, -127), np.int8),
        "flags": flags.astype(np.uint8),
        "picture_flags": flags.astype(np.uint8),
        "instances": instances,
        "poses": poses,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    for i in range(frames):
        cv2.imwrite(str(folder / "image" / f"{i:06d}.png"), texture[:, i : i + SIZE])
    about = {"frames": frames, "camera": camera.as_dict(), "rate_hz": 25.0}
    (folder / "sequence.json").write_text(json.dumps(about))


@pytest.fixture(scope="session")
def video_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sequences to test on."""
    folder = tmp_path_factory.mktemp("video")
    for name in ("a", "b"):
        write_clip(folder / name)
    splits = {"train": [], "validation": [], "test": ["a", "b"]}
    (folder / "manifest.json").write_text(json.dumps({"schema": SCHEMA, "splits": splits}))
    return folder
