"""The test set of "Sim2Real in endoscopy segmentation": a hundred real frames, folds by hand.

Frames of EndoMapper (Azagra et al. 2023, Scientific Data), released beside the paper's code as
`original.zip`, `gt.zip`, `inst.zip`; unpacked into one folder:

    original/NAME.png   RGB
    gt/NAME.png         folds bright, all else black
    inst/NAME.png       a number or a colour for every fold, black elsewhere; may be left out

What lies outside the octagon of the view does not count.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.errors import RecipeError
from engine.preprocess import find_field_of_view
from train.benchmark.stills import by_block, paired, pictures_of, read_instances, read_mask
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.simulate.layouts.files import read_picture

_ENDINGS = ("_original", "_gt", "_inst", "_mask")
_LEAST_SHARED = 0.5
"""IoU of all instances with the mask: below, the files belong to different frames."""


def open_endomapper(settings: TestSettings) -> LabelledSet:
    """The folder with `original`, `gt` and, if it is there, `inst`.

    Raises:
        RecipeError: a folder or a file is missing.
    """
    folder = settings.path
    names = ["original", "gt", *(["inst"] if (folder / "inst").is_dir() else [])]
    missing = [name for name in names if not (folder / name).is_dir()]
    if missing:
        raise RecipeError(
            f"{folder} has no {missing[0]}/.",
            "Unpack original.zip, gt.zip and inst.zip there, each into a folder of its name.",
        )
    files = paired(*(pictures_of(folder / name, _ENDINGS) for name in names))
    return LabelledSet(settings.name, by_block(files, read_frame))


def read_frame(files: tuple[Path, ...]) -> LabelledFrame:
    """One frame: picture, mask and, if there is one, the picture of instances.

    Raises:
        RecipeError: a file cannot be read, or mask and instances show different things.
    """
    image = read_picture(files[0])
    fold, valid = read_mask(files[1], image), find_field_of_view(image).mask
    instances = None
    if len(files) > 2:
        instances = read_instances(files[2], image)
        shared = np.count_nonzero(fold & (instances > 0))
        if shared < _LEAST_SHARED * np.count_nonzero(fold | (instances > 0)):
            raise RecipeError(
                f"{files[2]} and {files[1]} mark different places.", "Unpack the set again."
            )
    return LabelledFrame(image=image, valid=valid, fold=fold & valid, instances=instances)
