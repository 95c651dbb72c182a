"""The rich style: white light, and everything that varies between patients and endoscopes varies.

The randomisation decides whether a network trained here finds anything in real video
(`docs/experiments.md`). Colours and exposure follow statistics of PolypGen and Kvasir-SEG frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from train.simulate.covers import draw_covers
from train.simulate.light import Optics, Skin
from train.simulate.looks.endoscope import draw_exposure, draw_film, draw_lamps, draw_processor
from train.simulate.looks.mucosa import MucosaLook
from train.simulate.looks.nbi import draw_nbi
from train.simulate.screen import Screen
from train.simulate.tissue import Wall

Doubles = NDArray[np.float64]

NARROW_BAND = 0.03
"""Share of looks in narrow band light: its own style is `nbi`."""

COLOUR_FAMILIES = (
    (0.39, (1.39, 0.68), (0.18, 0.15)),
    (0.35, (0.95, 0.51), (0.22, 0.18)),
    (0.22, (1.42, 1.18), (0.28, 0.18)),
    (0.04, (1.52, 2.15), (0.33, 0.54)),
)
"""Share, mean and spread of (log R/G, log G/B) of linear colour at middling luminance: four
clusters of 500 frames of PolypGen and Kvasir-SEG. Salmon, pale rose, orange, ochre."""

UNREDDENED = 0.74
"""Of the measured ratios: light between walls, contrast and mottling deepen the colour again."""

_STAINS = ((0.62, 0.40, 0.03), (0.55, 0.42, 0.06), (0.36, 0.18, 0.03), (0.80, 0.66, 0.42))
"""Bile, yellow stool, brown stool, mucus."""


def draw_rich(rng: np.random.Generator) -> MucosaLook:
    """Another patient, another endoscope."""
    if rng.random() < NARROW_BAND:
        return draw_nbi(rng)
    return MucosaLook(
        wall=Wall.draw(rng),
        lamps=draw_lamps(rng),
        skin=draw_skin(rng),
        film=draw_film(rng),
        optics=Optics(vignette=rng.uniform(0.2, 1.6), bounce=rng.uniform(0.08, 0.45)),
        exposure=draw_exposure(rng),
        processor=draw_processor(rng),
        covers=draw_covers(rng),
        screen=Screen.draw(rng),
    )


def draw_base(rng: np.random.Generator) -> Doubles:
    """Linear albedo (3,) of mucosa, of one of the families."""
    shares = np.array([share for share, _, _ in COLOUR_FAMILIES])
    _, mean, spread = COLOUR_FAMILIES[int(rng.choice(len(shares), p=shares / shares.sum()))]
    red_green, green_blue = rng.normal(mean, spread)
    return coloured(UNREDDENED * red_green, UNREDDENED * green_blue)


def coloured(red_green: float, green_blue: float) -> Doubles:
    """The colour (3,) of these log R/G and log G/B whose largest part is 0.8."""
    colour = np.exp([red_green, 0.0, -green_blue])
    return np.asarray(0.8 * colour / colour.max(), np.float64)


def draw_skin(rng: np.random.Generator) -> Skin:
    """Colours of a patient's mucosa, under white light."""
    stained = rng.random() < 0.6
    return Skin(
        base=draw_base(rng),
        mottling=rng.uniform(0.02, 0.16) * np.array([0.3, 1.0, 0.9]) * rng.uniform(0.6, 1.4, 3),
        fine=rng.uniform(0.0, 0.7) ** 1.5 * np.array([0.2, 1.0, 0.9]),
        broad=rng.uniform(0.0, 0.8) ** 1.5 * np.array([0.45, 0.8, 0.45]),
        stain=np.array(_STAINS[int(rng.integers(len(_STAINS)))]) * rng.uniform(0.7, 1.2),
        stain_from=rng.uniform(0.5, 2.4) if stained else 99.0,
        stain_slope=float(np.exp(rng.uniform(np.log(0.15), np.log(3.0)))),
        raised=np.exp(rng.normal([0.08, -0.05, -0.02], [0.1, 0.14, 0.14])),
        pool=np.array([0.62, 0.5, 0.16]) ** rng.uniform(0.3, 1.5),
        wrap=rng.uniform(0.0, 0.3) + np.array([0.18, 0.06, 0.0]) * rng.uniform(0.3, 1.5),
        soften=rng.uniform(0.0, 0.4) + np.array([0.4, 0.15, 0.0]) * rng.uniform(0.3, 1.3),
        relief=rng.uniform(0.06, 0.26),
    )
