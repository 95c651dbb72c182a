"""Segmentation networks by name. Each takes (B, 3, H, W) floats 0..255.

What comes out is (B, n, H, W): logits of fold region and fold edge, then, where a network has it,
log of depth.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from torch import nn

from engine.errors import RecipeError

NETWORKS: dict[str, str] = {
    "student": "train.networks.student:build_student",
    "transunet": "train.networks.published:build_transunet",
    "endofm-transunet": "train.networks.published:build_endofm_transunet",
    "little-transunet": "train.networks.published:build_little_transunet",
    "little-endofm-transunet": "train.networks.published:build_little_endofm_transunet",
}
"""Name → "module:attribute"; imported when built."""


def build_network(name: str, *, pretrained: bool = True, weights: str = "") -> nn.Module:
    """The network called `name`.

    Args:
        name: of `NETWORKS`.
        pretrained: start from the weights that travel with the package, where some do.
        weights: a file by `haustra-train import` to start from.

    Raises:
        RecipeError: no such network, or weights that are not for it.
    """
    if name not in NETWORKS:
        raise RecipeError(
            f"There is no network called {name!r}.", f"Choose one of: {', '.join(NETWORKS)}."
        )
    module, attribute = NETWORKS[name].split(":")
    build = cast(Callable[..., nn.Module], getattr(importlib.import_module(module), attribute))
    network = build(pretrained=pretrained)
    if weights:
        from train.networks.published import open_public

        open_public(network, Path(weights))
    return network
