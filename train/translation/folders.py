"""Pictures of other people as banks: any real folder, any simulated one with depth and labels.

SIMULATED/image/NAME.png     RGB
SIMULATED/depth/NAME.npy     float, mm; or NAME.png, 16 bits, in units that the recipe tells
SIMULATED/label/NAME.png     instances, 0 for none; optional

Pairs are made by name, and every picture must have its depth: order in a folder means nothing.
FoldIt's data is known, too: trainB/ and trainC/ (`train.benchmark.foldit`), trainA/ being real.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.benchmark.foldit import open_foldit
from train.benchmark.test_sets import TestSettings
from train.real import SUFFIXES, Half, RealFrame, RealKind, read_image, views
from train.simulate.dataset import SimulatedSet
from train.translation.bank import SimulatedBank, simulated_bank
from train.translation.recipe import PictureSettings

_DEPTH_SUFFIXES = (".npy", ".png")


def real_folder(folder: Path) -> list[RealFrame]:
    """The real pictures of a folder: known sources by their licence and half, else every picture.

    Raises:
        RecipeError: nothing there.
    """
    known = views(folder, Half.TRAINING)
    if known:
        return known
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise RecipeError(f"{folder} holds no pictures.", "Name a folder with JPEG or PNG files.")
    return [RealFrame(path, RealKind.UNLABELLED, Half.TRAINING) for path in paths]


def open_simulated(folder: Path, pictures: PictureSettings) -> SimulatedBank:
    """A simulated set of ours in the recipe's style, or a folder of other people's pictures.

    Raises:
        RecipeError: neither.
    """
    if (folder / f"{pictures.split}C").is_dir():
        return painted_bank(folder, pictures.split, pictures.load_size)
    if (folder / "image").is_dir() and (folder / "depth").is_dir():
        return folder_bank(folder, pictures.load_size, pictures.depth_unit_mm)
    data = SimulatedSet(folder)
    return simulated_bank(data, pictures.split, pictures.style, pictures.load_size)


def folder_bank(folder: Path, size: int, depth_unit_mm: float) -> SimulatedBank:
    """A simulated folder in memory; normals and rays, which it does not know, are zero.

    Raises:
        RecipeError: a picture without depth or depth without a picture, sizes that differ, a file
            that cannot be read, or a unit that is not told.
    """
    images = _by_name(folder / "image", tuple(SUFFIXES))
    depths = _by_name(folder / "depth", _DEPTH_SUFFIXES)
    labels = _by_name(folder / "label", (".png",)) if (folder / "label").is_dir() else {}
    lonely = sorted(images.keys() ^ depths.keys()) or sorted(labels.keys() - images.keys())
    if lonely:
        raise RecipeError(
            f"{folder}: {lonely[0]} has no partner ({len(lonely)} such names).",
            "image, depth and label must hold files of the same names.",
        )
    if not images:
        raise RecipeError(f"{folder / 'image'} is empty.", "Put pictures there.")
    rows = []
    for name, path in images.items():
        image, depth = read_image(path), _read_depth(depths[name], depth_unit_mm)
        label = _read_label(labels[name]) if name in labels else np.zeros(depth.shape, np.int32)
        if not image.shape[:2] == depth.shape == label.shape:
            raise RecipeError(
                f"{folder}: the files of {name} differ in size.", "Export them alike."
            )
        rows.append((image, depth, label))
    return _bank(rows, size)


def painted_bank(folder: Path, split: str, size: int) -> SimulatedBank:
    """FoldIt's renderings in memory: depth and normals, which they do not know, are zero.

    Raises:
        RecipeError: a folder is missing, or the painted renderings are of other views.
    """
    opened = open_foldit(TestSettings(folder.name, "foldit", str(folder), split))
    frames = [sequence[number] for sequence in opened.sequences for number in range(len(sequence))]
    rows = []
    for frame in frames:
        assert frame.instances is not None
        rows.append((frame.image, np.ones(frame.valid.shape, np.float32), frame.instances))
    bank = _bank(rows, size)
    return replace(bank, depth_mm=torch.zeros_like(bank.depth_mm))


def _bank(rows: list[tuple[Any, Any, Any]], size: int) -> SimulatedBank:
    def stack(planes: list[Any], how: int) -> torch.Tensor:
        resized = [cv2.resize(plane, (size, size), interpolation=how) for plane in planes]
        return torch.from_numpy(np.stack(resized))

    images, depths, labels = (list(column) for column in zip(*rows, strict=True))
    depth = stack(depths, cv2.INTER_NEAREST_EXACT)
    instances = stack([label.astype(np.float32) for label in labels], cv2.INTER_NEAREST_EXACT)
    return SimulatedBank(
        image=stack(images, cv2.INTER_LINEAR),
        seen=depth > 0,
        depth_mm=depth.half(),
        normal=torch.zeros((*depth.shape, 3), dtype=torch.int8),
        fold=instances > 0,
        edge=torch.zeros(depth.shape, dtype=torch.bool),
        instances=instances.int(),
        camera=torch.zeros(len(depth), dtype=torch.int64),
        rays=torch.zeros((1, size, size, 3)),
    )


def _by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    return {path.stem: path for path in found}


def _read_depth(path: Path, unit_mm: float) -> NDArray[np.float32]:
    """(H, W) mm."""
    if path.suffix == ".npy":
        try:
            depth = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise RecipeError(f"{path} cannot be read: {error}.", "Write it anew.") from error
    else:
        depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if depth is None or depth.dtype != np.uint16:
            raise RecipeError(f"{path} is no 16-bit picture.", "Write depth as 16 bits, or .npy.")
        if unit_mm <= 0:
            raise RecipeError(
                f"{path}: what is a grey level in mm?", "Tell it: pictures.depth_unit_mm."
            )
        depth = depth * np.float32(unit_mm)
    if depth.ndim != 2 or not np.isfinite(depth).all():
        raise RecipeError(f"{path} is no map of finite depths.", "Write (H, W) floats in mm.")
    return np.asarray(depth, np.float32)


def _read_label(path: Path) -> NDArray[np.int32]:
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if label is None or label.ndim != 2:
        raise RecipeError(f"{path} is no grey picture of labels.", "Write one number a pixel.")
    return np.asarray(label, np.int32)
