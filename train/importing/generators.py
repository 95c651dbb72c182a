"""CycleGAN, CUT, FoldIt: one generator or discriminator a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import RecipeError
from train.importing import Imported, Told, expect, one_file
from train.importing.files import read_state, without_statistics
from train.networks.discriminator import PatchDiscriminator
from train.networks.generator import Generator
from train.weights import shapes_of

_ENTRY = "model.1.weight"
_ENTRY_PATCHGAN = "model.0.weight"


def import_generator(files: Sequence[Path], told: Told) -> Imported:
    """`latest_net_G*.pth` of CycleGAN (64 channels) or FoldIt (80)."""
    return _import(one_file(files), _ENTRY, lambda state: _generator(state, False))


def import_cut(files: Sequence[Path], told: Told) -> Imported:
    """A generator with blurred sampling: CUT, FastCUT, MI-CycleGAN."""
    return _import(one_file(files), _ENTRY, lambda state: _generator(state, True))


def import_patchgan(files: Sequence[Path], told: Told) -> Imported:
    """`latest_net_D*.pth`, plain or with blurred sampling."""

    def build(state: Mapping[str, Tensor]) -> nn.Module:
        is_antialiased = any(name.endswith(".filt") for name in state)
        width = state[_ENTRY_PATCHGAN].shape[0]
        return PatchDiscriminator(width, is_antialiased=is_antialiased)

    return _import(one_file(files), _ENTRY_PATCHGAN, build)


def _generator(state: Mapping[str, Tensor], is_antialiased: bool) -> nn.Module:
    blocks = sum(name.endswith("conv_block.1.weight") for name in state)
    return Generator(state[_ENTRY].shape[0], blocks, is_antialiased=is_antialiased)


def _import(path: Path, entry: str, build: Callable[[Mapping[str, Tensor]], nn.Module]) -> Imported:
    state = without_statistics(read_state(path))
    if entry not in state or state[entry].ndim != 4 or not state[entry].numel():
        raise RecipeError(f"{path.name} has no convolution {entry}.", "Choose another kind.")
    with torch.device("meta"):
        network = build(state)
    expect(state, shapes_of(network.state_dict()), path.name)
    about = {"width": str(state[entry].shape[0])}
    if entry == _ENTRY:
        about["blocks"] = str(sum(name.endswith("conv_block.1.weight") for name in state))
    return Imported(state, about)
