"""FoldIt's folders: renderings from CT, once in grey and once with their folds painted red.

Mathew et al. 2021; data on zenodo.org (4993651, 5519974). Of one split, in one folder:

    testA/*.png   real colonoscopy without labels: not read here
    testB/*.png   the rendering in grey
    testC/*.png   the same rendering, its folds red

B and C belong together by name or, where names differ, by their order; what is not red must look
alike in both, which tells whether they do. Fold is where (R - max(G, B)) / R exceeds one half: red
of dim far folds counts as much as that of bright near ones. Folds that touch count as one.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.errors import RecipeError
from engine.types import Image, Mask
from train.benchmark.stills import by_block, pictures_of
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.simulate.layouts.files import read_picture

_RED_SHARE = 0.5
_DARKEST = 24.0
"""Red darker than this is measured as if it were as bright: black has no colour."""
_LARGEST_GAP = 24.0
"""Mean difference, in grey levels, of pixels that are not red."""


def open_foldit(settings: TestSettings) -> LabelledSet:
    """One split, `test` or `train`.

    Raises:
        RecipeError: a folder is missing, or B and C differ in number.
    """
    folders = [settings.path / f"{settings.split}{domain}" for domain in "BC"]
    missing = [folder for folder in folders if not folder.is_dir()]
    if missing:
        raise RecipeError(
            f"There is no {missing[0]}.", "Name the folder that holds testA, testB and testC."
        )
    grey, painted = (pictures_of(folder) for folder in folders)
    if len(grey) != len(painted):
        raise RecipeError(
            f"{folders[0]} holds {len(grey)} pictures, {folders[1]} {len(painted)}.",
            "Unpack the set again: every rendering is in both.",
        )
    if grey.keys() == painted.keys():
        files = [(path, painted[name]) for name, path in grey.items()]
    else:
        files = list(zip(grey.values(), painted.values(), strict=True))
    return LabelledSet(settings.name, by_block(files, read_frame))


def read_frame(files: tuple[Path, ...]) -> LabelledFrame:
    """A grey rendering (first) and its painted double.

    Raises:
        RecipeError: a file cannot be read, or they show different renderings.
    """
    image, painted = (read_picture(path) for path in files)
    if image.shape != painted.shape:
        raise RecipeError(f"{files[0]} and {files[1]} differ in size.", "Unpack the set again.")
    fold = red_folds(painted)
    gap = np.abs(image.astype(np.float32) - painted).mean(2)[~fold]
    if gap.size and gap.mean() > _LARGEST_GAP:
        raise RecipeError(
            f"{files[1]} is not {files[0]} with its folds painted.",
            "Unpack the set again: B and C must hold the same renderings in the same order.",
        )
    _, instances = cv2.connectedComponents(fold.astype(np.uint8), connectivity=8)
    return LabelledFrame(
        image=image,
        valid=np.ones(fold.shape, bool),
        fold=fold,
        instances=np.asarray(instances, np.int32),
    )


def red_folds(painted: Image) -> Mask:
    """(H, W) where (H, W, 3) RGB is red."""
    red, others = painted[..., 0].astype(np.float32), painted[..., 1:].max(2).astype(np.float32)
    return np.asarray((red - others) / np.maximum(red, _DARKEST) > _RED_SHARE)
