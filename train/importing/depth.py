"""SC-SfMLearner and Depth Anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.errors import RecipeError
from train.importing import Imported, Told, expect, one_file
from train.importing.files import read_state
from train.networks.depth_anything import SIZES, VERSIONS, DepthAnything
from train.networks.dispresnet import DispResNet, PoseResNet
from train.weights import shapes_of

_CLASSIFIER = "encoder.encoder.fc"


def import_dispresnet(files: Sequence[Path], told: Told) -> Imported:
    """`dispnet_model_best.pth.tar`, ResNet-18 or -50."""
    return _import_resnet(one_file(files), DispResNet)


def import_poseresnet(files: Sequence[Path], told: Told) -> Imported:
    """`exp_pose_model_best.pth.tar`, ResNet-18 or -50."""
    return _import_resnet(one_file(files), PoseResNet)


def _import_resnet(path: Path, build: Callable[[int], nn.Module]) -> Imported:
    state = read_state(path)
    depth = 50 if "encoder.encoder.layer1.0.conv3.weight" in state else 18
    with torch.device("meta"):
        wanted = shapes_of(build(depth).state_dict())
    for name in (f"{_CLASSIFIER}.weight", f"{_CLASSIFIER}.bias"):
        # ImageNet's classifier is never used: files without it are whole.
        state.setdefault(name, torch.zeros(wanted[name]))
    expect(state, wanted, path.name)
    return Imported(state, {"depth": str(depth)})


def import_depth_anything(files: Sequence[Path], told: Told) -> Imported:
    """`depth_anything_vit?14.pth` or `depth_anything_v2_vit?.pth`; the version must be told."""
    path = one_file(files)
    _check_version(path, told.version)
    assert told.version is not None
    state = read_state(path)
    size = _size_of(state, path.name)
    with torch.device("meta"):
        network = DepthAnything(SIZES[size], told.version)
    expect(state, shapes_of(network.state_dict()), path.name)
    return Imported(state, {"version": told.version, "size": size})


def _check_version(path: Path, version: str | None) -> None:
    """Nothing in the tensors tells V1 from V2; a name that says otherwise is believed."""
    if version not in VERSIONS:
        raise RecipeError(
            "Files of Depth Anything V1 and V2 look alike; the wrong version gives wrong depth.",
            f"Say which with --version: {' or '.join(VERSIONS)}.",
        )
    if "metric" in path.name:
        raise RecipeError(
            f"{path.name} says metric: it gives depth, not inverse depth, and is not supported.",
            "Take the relative model.",
        )
    if ("_v2_" in path.name) and version == "v1":
        raise RecipeError(f"{path.name} is a file of V2 by its name.", "Say --version v2.")


def _size_of(state: Mapping[str, Tensor], origin: str) -> str:
    embedding = state.get("pretrained.patch_embed.proj.weight")
    width = 0 if embedding is None else embedding.shape[0]
    for name, size in SIZES.items():
        if size.width == width:
            return name
    raise RecipeError(
        f"{origin} is no Depth Anything of {', '.join(SIZES)}.", "Choose another file or kind."
    )
