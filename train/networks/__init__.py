"""Segmentation networks by name. Each takes (B, 3, H, W) floats 0..255 and returns logits."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from torch import nn

from engine.errors import RecipeError

NETWORKS: dict[str, str] = {"student": "train.networks.student:build_student"}
"""Name → "module:attribute"; imported when built."""


def build_network(name: str, *, pretrained: bool = True) -> nn.Module:
    """The network called `name`, two output channels: fold region, fold edge.

    Raises:
        RecipeError: no such network.
    """
    if name not in NETWORKS:
        raise RecipeError(
            f"There is no network called {name!r}.", f"Choose one of: {', '.join(NETWORKS)}."
        )
    module, attribute = NETWORKS[name].split(":")
    build = cast(Callable[..., nn.Module], getattr(importlib.import_module(module), attribute))
    return build(pretrained=pretrained)
