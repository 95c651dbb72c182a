"""Public checkpoints, turned into safetensors that our networks load by name.

An importer knows one family: how its files are wrapped, which tensors they must hold, and what of
it is thrown away on purpose. Nothing from a file is ever run, and nothing fits by chance: names
and shapes are compared one by one.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from torch import Tensor

from engine.errors import RecipeError
from train.weights import Difference, Shapes, save_weights, shapes_of

KINDS: dict[str, str] = {
    "cyclegan": "train.importing.generators:import_generator",
    "cut": "train.importing.generators:import_cut",
    "foldit": "train.importing.generators:import_generator",
    "patchgan": "train.importing.generators:import_patchgan",
    "munit": "train.importing.munit:import_munit",
    "i2i": "train.importing.munit:import_i2i",
    "adain": "train.importing.stylisers:import_adain",
    "stytr2": "train.importing.stylisers:import_stytr2",
    "dispresnet": "train.importing.depth:import_dispresnet",
    "poseresnet": "train.importing.depth:import_poseresnet",
    "depth-anything": "train.importing.depth:import_depth_anything",
    "transunet": "train.importing.segmenters:import_transunet",
    "endofm": "train.importing.segmenters:import_endofm",
    "student": "train.importing.students:import_student",
}
"""Kind → "module:attribute" of an `Importer`; imported when used."""


@dataclass(frozen=True, slots=True)
class Imported:
    """Tensors by the names of our network, and what is to be known of them."""

    state: Mapping[str, Tensor]
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a file does not say itself."""

    version: str | None = None
    """Of Depth Anything: v1 or v2."""
    data: Path | None = None
    """Of a student: a simulated set."""


Importer = Callable[[Sequence[Path], Told], Imported]


def import_checkpoint(kind: str, files: Sequence[Path], out: Path, told: Told = Told()) -> Imported:
    """Read a public checkpoint and write it as safetensors.

    Args:
        kind: of `KINDS`.
        files: as published, in any order.
        out: the new file.
        told: what the files do not say.

    Raises:
        RecipeError: no such kind, or the files are not what the kind wants.
        RecordingError: `out` cannot be written.
    """
    if kind not in KINDS:
        raise RecipeError(
            f"There is no kind of checkpoint called {kind!r}.", f"Choose of: {', '.join(KINDS)}."
        )
    if out.suffix != ".safetensors":
        raise RecipeError(f"{out} would not be told from a pickle.", "Name it *.safetensors.")
    module, attribute = KINDS[kind].split(":")
    importer = cast(Importer, getattr(importlib.import_module(module), attribute))
    imported = importer(files, told)
    origin = {
        "kind": kind,
        "source": ", ".join(path.name for path in files),
        "sha256": ", ".join(_sha256(path) for path in files),
    }
    save_weights(out, imported.state, {**imported.about, **origin})
    return imported


def one_file(files: Sequence[Path]) -> Path:
    """The only file.

    Raises:
        RecipeError: none, or several.
    """
    if len(files) != 1:
        raise RecipeError(f"{len(files)} files were named.", "This kind is one file: name one.")
    return files[0]


def expect(state: Mapping[str, Tensor], wanted: Shapes, origin: str) -> None:
    """Refuse tensors that are not exactly those wanted.

    Raises:
        RecipeError: with every tensor that is missing, unexpected or of another shape.
    """
    difference = Difference.between(shapes_of(state), wanted)
    if difference:
        raise RecipeError(
            f"{origin} is not this kind of checkpoint:\n{difference.report()}\n",
            "Name the file of this kind, whole, or choose another kind.",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
