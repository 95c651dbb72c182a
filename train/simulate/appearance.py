"""How a view becomes a picture: looks, their styles by name, and what a picture tells.

A *look* is all that stays the same over a video: patient (tissue, vessels, colours), endoscope
(lamps, tone, outline of the picture, burnt-in text) and what sticks to the lens. What changes from
frame to frame (noise, motion blur, unsteady exposure) is drawn by `Look.render` from the generator
it is given. A video is one look and many frames:

    look = draw_look("rich", np.random.default_rng(seed))
    for number, frame in enumerate(frames):
        rendering = look.render(frame, np.random.default_rng([seed, number]))

A still is `shade`: a new look for every picture, which is what training wants.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.dataset import Flag, GeometryFrame, SimulatedSet

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

STYLES = {
    "plain": "train.simulate.looks.plain:draw_plain",
    "vrcaps": "train.simulate.looks.vrcaps:draw_vrcaps",
    "rich": "train.simulate.looks.rich:draw_rich",
    "glaring": "train.simulate.looks.glaring:draw_glaring",
    "nbi": "train.simulate.looks.nbi:draw_nbi",
}
"""Style → "module:attribute" of `(random generator) -> Look`; imported when drawn."""


STORED = "stored"
"""In place of a style: the picture that a set keeps of each frame."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A picture with what is known about it; arrays are (H, W)."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    fold: Bools
    edge: Bools
    valid: Bools
    """Inside the field of view and not covered, where the labels count."""
    hard: Bools
    """Known not to be fold although it looks raised: polyps, tools, debris."""


@runtime_checkable
class Look(Protocol):
    """Tissue, light, tone and screen of one video."""

    def render(self, frame: GeometryFrame, rng: np.random.Generator) -> Rendering:
        """The picture of one view of any size; the same `rng` state gives the same bytes."""
        ...


def draw_look(style: str, rng: np.random.Generator) -> Look:
    """A look of a style called by name.

    Raises:
        RecipeError: unknown style.
    """
    check_style(style)
    module, attribute = STYLES[style].split(":")
    look = getattr(importlib.import_module(module), attribute)(rng)
    assert isinstance(look, Look)
    return look


def check_style(style: str) -> None:
    """Refuse a style that does not exist.

    Raises:
        RecipeError: unknown style.
    """
    if style not in STYLES:
        raise RecipeError(f"There is no style {style!r}.", f"Choose of: {', '.join(STYLES)}.")


def shade(frame: GeometryFrame, rng: np.random.Generator, style: str = "rich") -> Rendering:
    """One picture in a look of its own.

    Raises:
        RecipeError: unknown style.
    """
    return draw_look(style, rng).render(frame, rng)


def drawn(
    data: SimulatedSet, at: tuple[str, int], rng: np.random.Generator, style: str
) -> Rendering:
    """One frame of a set as it is stored (style "stored"), or shaded in a look of its own.

    Raises:
        RecipeError: unknown style, or the set keeps no pictures.
    """
    if style != STORED:
        return shade(data.frame(*at), rng, style)
    picture = data.sequence(at[0]).picture(at[1])
    if picture is None:
        raise RecipeError(
            f"{data.folder} keeps no pictures.",
            "Choose a style, or a set made by haustra-train translate apply.",
        )

    def holds(flag: Flag) -> Bools:
        return np.asarray((picture.flags & np.uint8(flag)) > 0)

    valid, fold = holds(Flag.VALID), holds(data.label.flag)
    return Rendering(
        picture.image, fold & valid, holds(Flag.EDGE) & fold & valid, valid, holds(Flag.HARD)
    )
