"""AdaIN and StyTR2: several files each, told apart by what is in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import RecipeError
from train.importing import Imported, Told, expect
from train.importing.files import read_state
from train.networks.adain import Vgg, VggDecoder
from train.networks.stytr2 import PatchEmbedding, StyleTransformer
from train.weights import shapes_of

_WHOLE_VGG = 53
"""Layers; the published file has them all, networks keep the first 31 or 44."""
_PARTS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "vgg": ("0.weight", lambda: Vgg(layers=_WHOLE_VGG)),
    "decoder": ("28.weight", VggDecoder),
    "transformer": ("new_ps.weight", StyleTransformer),
    "embedding": ("proj.weight", PatchEmbedding),
}
"""Part → a tensor that no other part has, and the network."""


def import_adain(files: Sequence[Path], told: Told) -> Imported:
    """`vgg_normalised.pth` and, if wanted, `decoder.pth` → `vgg.…`, `decoder.…`."""
    return _import(files, ("vgg", "decoder"), needed=("vgg",))


def import_stytr2(files: Sequence[Path], told: Told) -> Imported:
    """`vgg_normalised`, `decoder`, `transformer` and `embedding` → the same as prefixes."""
    return _import(files, tuple(_PARTS), needed=tuple(_PARTS))


def _import(files: Sequence[Path], parts: Collection[str], needed: Collection[str]) -> Imported:
    found: dict[str, Path] = {}
    state: dict[str, Tensor] = {}
    for path in files:
        tensors = read_state(path)
        part = _part_of(tensors, parts, path.name)
        if part in found:
            raise RecipeError(
                f"{found[part].name} and {path.name} are both the {part}.", "Name each once."
            )
        with torch.device("meta"):
            network = _PARTS[part][1]()
        expect(tensors, shapes_of(network.state_dict()), path.name)
        found[part] = path
        state |= {f"{part}.{name}": tensor for name, tensor in tensors.items()}
    missing = [part for part in needed if part not in found]
    if missing:
        raise RecipeError(f"No file holds the {' and the '.join(missing)}.", "Name all files.")
    return Imported(state, {"parts": ", ".join(found)})


def _part_of(tensors: Mapping[str, Tensor], parts: Collection[str], origin: str) -> str:
    for part in parts:
        if _PARTS[part][0] in tensors:
            return part
    raise RecipeError(f"{origin} is none of: {', '.join(parts)}.", "Name the published files.")
