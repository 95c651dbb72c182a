"""AdaIN and StyTR2: several files each, told apart by what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from engine.errors import RecipeError
from train.importing import Imported, Told, expect
from train.importing.files import read_state
from train.importing.published import (
    Table,
    stytr2_embedding,
    stytr2_transformer,
    vgg,
    vgg_decoder,
)

_TELLING = {
    "vgg": "0.weight",
    "decoder": "28.weight",
    "transformer": "new_ps.weight",
    "embedding": "proj.weight",
}
"""Part → a tensor that no other part has."""


def import_adain(files: Sequence[Path], told: Told) -> Imported:
    """`vgg_normalised.pth` and `decoder.pth` → `vgg.…`, `decoder.…`."""
    return _import(files, {"vgg": vgg(), "decoder": vgg_decoder()})


def import_stytr2(files: Sequence[Path], told: Told) -> Imported:
    """`vgg_normalised`, `decoder`, `transformer` and `embedding` → the same as prefixes."""
    return _import(
        files,
        {
            "vgg": vgg(),
            "decoder": vgg_decoder(),
            "transformer": stytr2_transformer(),
            "embedding": stytr2_embedding(),
        },
    )


def _import(files: Sequence[Path], parts: Mapping[str, Table]) -> Imported:
    found: dict[str, Path] = {}
    state: dict[str, Tensor] = {}
    for path in files:
        tensors = read_state(path)
        part = next((each for each in parts if _TELLING[each] in tensors), None)
        if part is None:
            raise RecipeError(
                f"{path.name} is none of: {', '.join(parts)}.", "Name the published files."
            )
        if part in found:
            raise RecipeError(
                f"{found[part].name} and {path.name} are both the {part}.", "Name each once."
            )
        expect(tensors, parts[part], path.name)
        found[part] = path
        state |= {f"{part}.{name}": tensor for name, tensor in tensors.items()}
    missing = [part for part in parts if part not in found]
    if missing:
        raise RecipeError(f"No file holds the {' and the '.join(missing)}.", "Name all files.")
    return Imported(state)
