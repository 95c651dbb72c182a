"""What rays through the pixels of a camera meet: by name, one way or another, always the same.

A caster is built as `Caster(faces)` with faces (f, 3) and knows nothing until it is moved. Two
casters may name different faces only where their distances agree.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.camera import Camera
from train.simulate.hits import Hits

CASTERS = {
    "raster": "train.simulate.casters.raster:Raster",
    "embree": "train.simulate.casters.embree:Embree",
    "warp": "train.simulate.casters.warp:Warp",
}
"""The first is the fastest on a processor."""
DEFAULT = "raster"


class Caster(Protocol):
    """Rays against one mesh whose vertices may move."""

    def move(self, vertices: NDArray[np.float64]) -> None:
        """Put the mesh's vertices (n, 3) in mm here; the faces stay."""

    def cast(self, pose: NDArray[np.float64], camera: Camera) -> Hits:
        """One ray through each pixel that the camera sees; `pose` (4, 4) is camera to world."""


def find_caster(name: str) -> Callable[[NDArray[np.int32]], Caster]:
    """What builds the caster of that name around faces (f, 3).

    Raises:
        RecipeError: unknown name, or what it needs is not installed.
    """
    if name not in CASTERS:
        raise RecipeError(f"Unknown caster {name!r}.", f"Use one of: {', '.join(CASTERS)}.")
    module, attribute = CASTERS[name].split(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise RecipeError(
            f"The caster {name!r} needs {error.name}, which is not installed.",
            f'Install it (pip install "haustra[{name}]"), or choose another: {", ".join(CASTERS)}.',
        ) from error
    return cast(Callable[[NDArray[np.int32]], Caster], kind)


def open_caster(
    name: str, vertices: NDArray[np.float64], faces: NDArray[np.integer[Any]]
) -> Caster:
    """The caster of that name around a mesh: vertices (n, 3) in mm, faces (f, 3).

    Raises:
        RecipeError: see `find_caster`.
    """
    caster = find_caster(name)(np.ascontiguousarray(faces, dtype=np.int32))
    caster.move(vertices)
    return caster
