"""A simulated set of 64 × 64 pictures and a recipe of two steps, made in milliseconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from train.recipe import BudgetSettings, DataSettings, RealSettings, Recipe
from train.simulate.camera import Fisheye
from train.simulate.dataset import DISTANCE_UNIT_MM, SCHEMA, Flag
from train.simulate.farm import SimulationRecipe

SIZE = 64

# Networks here are so small that a second thread costs more than it brings.
torch.set_num_threads(1)


def write_sequence(folder: Path, frames: int, seed: int) -> None:
    """A tube with bright rings for folds; geometry plausible enough to shade."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = np.hypot(x, y)
    ring = (radius > 14 + rng.uniform(-3, 3)) & (radius < 22)
    flags = np.full((SIZE, SIZE), Flag.VALID, np.uint8) | ring * np.uint8(Flag.FOLD | Flag.CREST)
    flags |= ((radius > 20) & (radius < 22)) * np.uint8(Flag.EDGE)
    normal = np.zeros((SIZE, SIZE, 3), np.int8)
    normal[..., 2] = -127
    arrays = {
        "distance": (np.maximum(60 - radius, 8) / DISTANCE_UNIT_MM).astype(np.uint16),
        "normal": normal,
        "flags": flags.astype(np.uint8),
        "instances": ring.astype(np.uint16),
        "poses": np.eye(4),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.repeat(array[None], frames, axis=0))
    camera = Fisheye.colonoscope(SIZE, float(np.radians(65))).as_dict()
    about = {"frames": frames, "camera": camera, "seed": seed, "anatomy": "rings"}
    (folder / "sequence.json").write_text(json.dumps(about))


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two training sequences, one for validation, two for the test."""
    folder = tmp_path_factory.mktemp("simulated")
    splits = {"train": ["a", "b"], "validation": ["c"], "test": ["d", "e"]}
    for seed, name in enumerate(name for names in splits.values() for name in names):
        write_sequence(folder / name, 3, seed)
    (folder / "manifest.json").write_text(json.dumps({"schema": SCHEMA, "splits": splits}))
    return folder


def keep_pictures(source: Path, folder: Path, colour: tuple[int, int, int]) -> Path:
    """A copy of a set that keeps pictures: folds in a colour, the rest half as bright."""
    shutil.copytree(source, folder)
    for sequence in (each for each in folder.iterdir() if each.is_dir()):
        flags = np.load(sequence / "flags.npy")
        np.save(sequence / "picture_flags.npy", flags)
        (sequence / "image").mkdir()
        for number, each in enumerate(flags):
            share = np.where((each & Flag.FOLD) > 0, 1.0, 0.5)[..., None]
            picture = (share * np.array(colour[::-1])).astype(np.uint8)
            cv2.imwrite(str(sequence / "image" / f"{number:06d}.png"), picture)
    return folder


@pytest.fixture(scope="session")
def stored_set(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same colons in grey pictures."""
    return keep_pictures(tiny_set, tmp_path_factory.mktemp("stored") / "set", (160, 160, 160))


@pytest.fixture(scope="session")
def translated_set(tiny_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same colons in red pictures."""
    return keep_pictures(tiny_set, tmp_path_factory.mktemp("painted") / "set", (220, 120, 90))


@pytest.fixture
def tiny_recipe() -> Recipe:
    """Four steps without real frames."""
    return Recipe(
        name="tiny",
        simulate=SimulationRecipe(size=SIZE),
        data=DataSettings(batch=2, workers=0),
        budget=BudgetSettings(steps=4, validation_frames=2),
        real=RealSettings(use=False),
    )
