"""Other people's layouts of simulated endoscopy, in and out.

Readers turn a folder into a `Recording` of `LayoutFrame`s: millimetres, depth along z, poses
from camera to world in right-handed axes. Writers put a camera path of a simulated set into a
folder that the layout's own tools read, with the folds in a subfolder beside.

| layout   | depth              | axes           | pose                        | read | written |
|----------|--------------------|----------------|-----------------------------|------|---------|
| simcol3d | z, 16 bits, 20 cm  | left, y up     | position cm, x y z w        | yes  | yes     |
| c3vd     | z, 16 bits, 100 mm | right, y down  | 4×4 mm, column after column | yes  | yes     |
| vrcaps   | relative, 8 bits   | left, y up     | unknown unit, x y z w       | yes  | no      |
| endoslam | relative, 8 bits   | left, y up     | unknown unit, x y z w       | yes  | no      |
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from engine.errors import RecipeError
from train.simulate.appearance import check_style
from train.simulate.dataset import SimulatedSet
from train.simulate.layouts.recording import AS_RECORDED, LayoutFrame, ReadOptions, Recording

__all__ = ["READERS", "WRITERS", "ExportOptions", "LayoutFrame", "ReadOptions", "Recording"]

READERS = {
    "simcol3d": "train.simulate.layouts.simcol3d:open_simcol3d",
    "c3vd": "train.simulate.layouts.c3vd:open_c3vd",
    "vrcaps": "train.simulate.layouts.vrcaps:open_vrcaps",
    "endoslam": "train.simulate.layouts.endoslam:open_endoslam",
}
"""Layout → "module:attribute" of `(folder, ReadOptions) -> Recording`; imported when opened."""

WRITERS = {
    "simcol3d": "train.simulate.layouts.simcol3d:write_simcol3d",
    "c3vd": "train.simulate.layouts.c3vd:write_c3vd",
}
"""Layout → "module:attribute" of `(parent folder, Walk) -> folder`; imported when used."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a set is written."""

    style: str = "plain"
    """Of the pictures, where the set keeps none; one of `train.simulate.appearance`."""
    seed: int = 0
    """Of the look; every path has its own."""
    height: int | None = None
    """Pixels; None: as rendered."""
    split: str | None = None
    """Of the set; None: all."""


def open_recording(layout: str, folder: Path, options: ReadOptions = AS_RECORDED) -> Recording:
    """Open a recording in a layout called by name.

    Raises:
        RecipeError: no such layout, or the folder does not hold one.
    """
    opened = _named(READERS, layout)(folder, options)
    assert isinstance(opened, Recording)
    return opened


def export_set(
    simulated: SimulatedSet, out: Path, layout: str, options: ExportOptions = ExportOptions()
) -> list[Path]:
    """Write every camera path of a set; returns their folders.

    Raises:
        RecipeError: no such layout, split or style.
        RecordingError: a folder exists already, or cannot be written.
    """
    from train.simulate.layouts.walk import Walk

    write = _named(WRITERS, layout)
    splits = simulated.splits
    if options.split is not None and options.split not in splits:
        raise RecipeError(f"No split {options.split!r}.", f"Choose one of: {', '.join(splits)}.")
    check_style(options.style)
    chosen = [options.split] if options.split is not None else list(splits)
    names = [name for split in chosen for name in splits[split]]
    walks = (Walk(simulated, n, options.style, options.seed, options.height) for n in names)
    return [write(out, walk) for walk in tqdm(walks, total=len(names), unit="path", desc=layout)]


def _named(table: dict[str, str], layout: str) -> Any:
    if layout not in table:
        raise RecipeError(f"There is no layout {layout!r}.", f"Choose one of: {', '.join(table)}.")
    module, attribute = table[layout].split(":")
    return getattr(importlib.import_module(module), attribute)
