"""MUNIT and I2I: both generators of a pair in one file, as `a` and `b`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import RecipeError
from train.importing import Imported, Told, expect, one_file
from train.importing.files import read_pickle, tensors_of
from train.networks.munit import MunitGenerator, MunitShape
from train.weights import Shapes, shapes_of

_SIDES = ("a", "b")
_BOTTLENECK = 8


def import_munit(files: Sequence[Path], told: Told) -> Imported:
    """`gen_*.pt`: tensors come out as `a.…` and `b.…`."""
    return _import(one_file(files), has_bottleneck=False)


def import_i2i(files: Sequence[Path], told: Told) -> Imported:
    """The same with a bottleneck; each side with a style or without, which `about` tells."""
    return _import(one_file(files), has_bottleneck=True)


def _import(path: Path, *, has_bottleneck: bool) -> Imported:
    loaded: Any = read_pickle(path)
    if not isinstance(loaded, Mapping) or set(loaded) != set(_SIDES):
        raise RecipeError(
            f"{path.name} does not hold exactly the generators a and b.", "Name gen_*.pt."
        )
    state: dict[str, Tensor] = {}
    about: dict[str, str] = {}
    for side in _SIDES:
        tensors = tensors_of(loaded[side], f"{side} of {path.name}", ())
        is_styled = not has_bottleneck or any(name.startswith("enc_style.") for name in tensors)
        wanted = _wanted(is_styled, has_bottleneck)
        tensors = _with_statistics_of(wanted, tensors)
        expect(tensors, wanted, f"{side} of {path.name}")
        state |= {f"{side}.{name}": tensor for name, tensor in tensors.items()}
        about[side] = "styled" if is_styled else "style-less"
    return Imported(state, about)


def _wanted(is_styled: bool, has_bottleneck: bool) -> Shapes:
    shape = MunitShape(bottleneck=_BOTTLENECK if has_bottleneck else 0)
    with torch.device("meta"):
        network = MunitGenerator(shape if is_styled else replace(shape, style=0))
    return shapes_of(network.state_dict())


def _with_statistics_of(wanted: Shapes, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Old files hold statistics of instance norms, new ones may lack the idle ones of AdaIN."""
    kept = {
        name: tensor
        for name, tensor in state.items()
        if name in wanted or not name.endswith(("running_mean", "running_var"))
    }
    for name, shape in wanted.items():
        if name.endswith("running_mean"):
            kept.setdefault(name, torch.zeros(shape))
        if name.endswith("running_var"):
            kept.setdefault(name, torch.ones(shape))
    return kept
