"""Kvasir-SEG and HyperKvasir's segmented images: polyps, which are no folds.

Jha et al. 2020; Borgli et al. 2020 (Scientific Data), CC BY 4.0. Both are laid out alike:

    images/NAME.jpg     RGB; in HyperKvasir below segmented-images/
    masks/NAME.jpg      polyp white; also polyp_masks/NAME.png

No folds are known, only where none is: what counts is the part of polyps called fold. The split
`test` is the half that no training step of this project sees, `train` the other, `all` both.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import RecipeError
from engine.preprocess import find_field_of_view
from train.benchmark.stills import by_block, paired, pictures_of, read_mask
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.real import Half, half_of
from train.simulate.layouts.files import read_picture

_HALVES = {"test": (Half.TEST,), "train": (Half.TRAINING,), "all": tuple(Half)}
_MASKS = ("masks", "polyp_masks")


def open_polyps(settings: TestSettings) -> LabelledSet:
    """The folder with `images` and `masks`, or HyperKvasir's with `segmented-images`.

    Raises:
        RecipeError: no such folders or split, or a picture without its mask.
    """
    if settings.split not in _HALVES:
        raise RecipeError(
            f"There is no split {settings.split!r}.", f"Choose one of: {', '.join(_HALVES)}."
        )
    folder = settings.path
    if (folder / "segmented-images").is_dir():
        folder = folder / "segmented-images"
    masks = [folder / name for name in _MASKS if (folder / name).is_dir()]
    if not masks or not (folder / "images").is_dir():
        raise RecipeError(
            f"{folder} has no images/ and masks/.", "Name the folder of Kvasir-SEG or HyperKvasir."
        )
    files = paired(pictures_of(folder / "images"), pictures_of(masks[0]))
    halves = _HALVES[settings.split]
    kept = [each for each in files if half_of(each[0].stem) in halves]
    return LabelledSet(settings.name, by_block(kept, read_frame))


def read_frame(files: tuple[Path, ...]) -> LabelledFrame:
    """A picture and its polyps.

    Raises:
        RecipeError: a file cannot be read, or they differ in size.
    """
    image = read_picture(files[0])
    valid = find_field_of_view(image).mask
    return LabelledFrame(image=image, valid=valid, absent=read_mask(files[1], image) & valid)
