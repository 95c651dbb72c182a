"""Transformers for segmenters: TransUNet's from Google's arrays, Endo-FM's from its teacher."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import RecipeError
from train.importing import Imported, Told, expect, one_file
from train.importing.files import read_arrays, read_state, without_prefix
from train.networks.endofm import SpaceTimeEncoder
from train.networks.transunet import PATCH, PUBLISHED, TransUNet
from train.weights import shapes_of

Arrays = Mapping[str, NDArray[Any]]

_STEM = "embeddings.hybrid_model"
_POSITIONS = "Transformer/posembed_input/pos_embedding"
_UNUSED = ("head/", "pre_logits/")
"""ImageNet's classifier."""
_ATTENTION = "MultiHeadDotProductAttention_1"


def import_transunet(files: Sequence[Path], told: Told) -> Imported:
    """`R50+ViT-B_16.npz` → the `transformer` of `TransUNet`: stem, positions and blocks.

    The decoder is in no such file and begins at random.
    """
    path = one_file(files)
    arrays = {
        name: each for name, each in read_arrays(path).items() if not name.startswith(_UNUSED)
    }
    positions = arrays.get(_POSITIONS)
    if positions is None or positions.ndim != 3 or positions.shape[1] < 2:
        raise RecipeError(f"{path.name} has no {_POSITIONS}.", "Name R50+ViT-B_16.npz.")
    size = PATCH * math.isqrt(positions.shape[1] - 1)
    with torch.device("meta"):
        network = TransUNet(replace(PUBLISHED, size=size)).transformer
    state: dict[str, Tensor] = {}
    for source, target, array in mapped(arrays):
        if target in state:
            raise RecipeError(f"{path.name}: {source} fills {target} again.", "Fetch it again.")
        state[target] = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    expect(state, shapes_of(network.state_dict()), path.name)
    return Imported(state, {"size": str(size)})


def mapped(arrays: Arrays) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """Every array with its name in `TransUNet.transformer`, turned as PyTorch has it.

    Unknown arrays keep their name, and so are reported as unexpected.
    """
    for name, array in arrays.items():
        *path, last = name.split("/")
        if array.ndim == 0:
            yield name, name, array
        elif name == _POSITIONS:
            # The class token's place goes: TransUNet has none.
            yield name, "embeddings.position_embeddings", array[:, 1:]
        elif path[:1] == ["embedding"]:
            yield name, f"embeddings.patch_embeddings.{_weight(last)}", _turned(array)
        elif path[:1] == ["Transformer"]:
            yield name, _in_transformer(path[1:], last), _linear(path, last, array)
        else:
            yield name, _in_stem(path, last), _turned(array)


def _weight(last: str) -> str:
    return "bias" if last == "bias" else "weight"


def _turned(array: NDArray[Any]) -> NDArray[Any]:
    """Filters height, width, in, out → out, in, height, width; the rest in one row."""
    if array.ndim == 4 and array.shape[:3] != (1, 1, 1):
        return array.transpose(3, 2, 0, 1)
    return array.reshape(-1)


def _in_stem(path: list[str], last: str) -> str:
    if len(path) == 1 and path[0] in ("conv_root", "gn_root"):
        return f"{_STEM}.root.{path[0].removesuffix('_root')}.{_weight(last)}"
    if len(path) == 3:
        layer = "downsample" if path[2] == "conv_proj" else path[2]
        return f"{_STEM}.body.{path[0]}.{path[1]}.{layer}.{_weight(last)}"
    return "/".join([*path, last])


def _in_transformer(path: list[str], last: str) -> str:
    """`path` without the leading `Transformer`."""
    if path == ["encoder_norm"]:
        return f"encoder.encoder_norm.{_weight(last)}"
    block = path[0].removeprefix("encoderblock_")
    parts = {
        "LayerNorm_0": "attention_norm", "LayerNorm_2": "ffn_norm",
        "MlpBlock_3/Dense_0": "ffn.fc1", "MlpBlock_3/Dense_1": "ffn.fc2",
        **{f"{_ATTENTION}/{each}": f"attn.{each}" for each in ("query", "key", "value", "out")},
    }  # fmt: skip
    part = parts.get("/".join(path[1:]))
    if part is None:
        return "/".join(["Transformer", *path, last])
    return f"encoder.layer.{block}.{part}.{_weight(last)}"


def _linear(path: list[str], last: str, array: NDArray[Any]) -> NDArray[Any]:
    """Maps in → out as out → in; heads side by side."""
    if last != "kernel":
        return array.reshape(-1)
    # (768, 12, 64) into the heads, (12, 64, 768) out of them.
    flat = (
        array.reshape(-1, array.shape[-1]) if path[-1] == "out" else array.reshape(len(array), -1)
    )
    return flat.T


def import_endofm(files: Sequence[Path], told: Told) -> Imported:
    """`endo_fm.pth` → the `transformer.encoder` of `EndoFMTransUNet`: 243 tensors.

    Its own patch, position and time embeddings (and a classifier, if any) are thrown away on
    purpose: the segmenter has TransUNet's.
    """
    path = one_file(files)
    state = _backbone(read_state(path, ("teacher", "model_state")))
    discarded = [name for name in state if name.startswith(_DISCARDED)]
    kept = {_in_segmenter(name): tensor for name, tensor in state.items() if name not in discarded}
    with torch.device("meta"):
        wanted = shapes_of(SpaceTimeEncoder(PUBLISHED).state_dict())
    expect(kept, wanted, path.name)
    return Imported(kept, {"filled": str(len(kept)), "discarded": ", ".join(discarded)})


_DISCARDED = ("pos_embed", "time_embed", "patch_embed.", "head.")


def _backbone(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the projection head that the teacher learned beside it."""
    state = without_prefix(state, "module.")
    for prefix in ("backbone.", "model."):
        found = {
            name.removeprefix(prefix): tensor
            for name, tensor in state.items()
            if name.startswith(prefix)
        }
        if found:
            return found
    return dict(state)


def _in_segmenter(name: str) -> str:
    if name.startswith("blocks."):
        return f"layer.{name.removeprefix('blocks.')}"
    return name.replace("norm.", "encoder_norm.", 1) if name.startswith("norm.") else name
