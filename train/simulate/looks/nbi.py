"""Narrow band imaging: light at 415 nm, shown as green and blue, and at 540 nm, shown as red.

Blood near the surface takes the shorter band and looks brown; blood below takes the longer one and
looks dark cyan. Mucosa is pale, between brown-green and grey-cyan; bile looks red.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from train.simulate.covers import draw_covers
from train.simulate.light import Optics, Skin
from train.simulate.looks.endoscope import draw_exposure, draw_film, draw_lamps, draw_processor
from train.simulate.looks.mucosa import MucosaLook
from train.simulate.screen import Screen
from train.simulate.tissue import Wall

Doubles = NDArray[np.float64]


def narrow_band(at_415: float, at_540: float) -> Doubles:
    """What a processor shows of two bands, (3,) linear RGB: (540 nm, 415 nm, 415 nm)."""
    return np.array([at_540, at_415, at_415])


def draw_nbi(rng: np.random.Generator) -> MucosaLook:
    """Another patient, another endoscope, in narrow band light."""
    exposure = draw_exposure(rng)
    # Processors shift the shorter band towards green, so that mucosa is not pink.
    tint = (rng.uniform(0.85, 1.0), 1.0, rng.uniform(0.68, 0.95))
    return MucosaLook(
        wall=Wall.draw(rng),
        lamps=draw_lamps(rng),
        skin=draw_narrow_skin(rng),
        film=draw_film(rng),
        optics=Optics(vignette=rng.uniform(0.2, 1.6), bounce=rng.uniform(0.1, 0.5)),
        # The bands hold little light.
        exposure=replace(exposure, middle=0.75 * exposure.middle, balance=tint),
        processor=draw_processor(rng),
        covers=draw_covers(rng),
        screen=Screen.draw(rng),
    )


def draw_narrow_skin(rng: np.random.Generator) -> Skin:
    """Colours of a patient's mucosa in the two bands."""
    at_540 = rng.uniform(0.42, 0.6)
    stained = rng.random() < 0.4
    short = rng.uniform(0.8, 1.15)
    return Skin(
        base=narrow_band(at_540 * short, at_540),
        mottling=rng.uniform(0.03, 0.12) * narrow_band(1.3, 0.7),
        fine=rng.uniform(0.3, 1.1) * narrow_band(1.0, 0.55),
        broad=rng.uniform(0.15, 0.8) * narrow_band(0.55, 1.0),
        stain=narrow_band(rng.uniform(0.06, 0.14), rng.uniform(0.3, 0.5)),
        stain_from=rng.uniform(1.0, 2.6) if stained else 99.0,
        stain_slope=float(np.exp(rng.uniform(np.log(0.3), np.log(3.0)))),
        raised=np.exp(-narrow_band(rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.25))),
        pool=narrow_band(rng.uniform(0.12, 0.3), rng.uniform(0.35, 0.5)),
        wrap=rng.uniform(0.0, 0.2) + narrow_band(0.0, 0.08),
        soften=rng.uniform(0.0, 0.3) + narrow_band(0.0, 0.15),
        relief=rng.uniform(0.06, 0.3),
    )
