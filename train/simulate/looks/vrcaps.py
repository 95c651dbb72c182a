"""The paper's domain X: VR-Caps (Incetan et al. 2021), a colon in a game engine.

Its material is smooth pinkish texture under a weak clear coat (smoothness 0.1, coat mask 0.435,
index of refraction 1.5), lit by one spot of 110 degrees at the camera, seen in a fixed exposure
with a vignette. No dirt, no sensor: that gap is what translation has to bridge.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.simulate.light import Film, Lamps, Optics, Skin
from train.simulate.looks.mucosa import MucosaLook
from train.simulate.sensor import Exposure
from train.simulate.tissue import Wall

HALF_SPOT_RAD = np.radians(55)
INDEX = 1.5
COAT = 0.435
ROUGHNESS = 0.9
"""1 - smoothness; its square is the microfacet width."""


def normal_reflectance(index: float) -> float:
    """Fresnel at normal incidence from air: ((n - 1) / (n + 1))^2."""
    return ((index - 1) / (index + 1)) ** 2


def half_spot_mu(half_rad: float) -> float:
    """Spread with which a spot has fallen to a half at `half_rad`: ln 2 / (1 - cos)."""
    return float(np.log(2) / (1 - np.cos(half_rad)))


def draw_vrcaps(rng: np.random.Generator) -> MucosaLook:
    """The one material; which piece of its texture lies where is drawn."""
    return MucosaLook(
        wall=replace(Wall.draw(rng), side_mm=60.0),
        lamps=Lamps(np.zeros((1, 3)), np.ones(1), half_spot_mu(HALF_SPOT_RAD)),
        skin=Skin(
            base=np.array([0.72, 0.30, 0.25]),
            mottling=np.array([0.05, 0.13, 0.13]),
            fine=np.array([0.08, 0.35, 0.3]),
            broad=np.array([0.08, 0.16, 0.12]),
            stain=np.array([0.5, 0.4, 0.15]),
            stain_from=99.0,
            stain_slope=1.0,
            raised=np.ones(3),
            pool=np.array([0.6, 0.5, 0.2]),
            wrap=np.zeros(3),
            soften=np.zeros(3),
            relief=0.04,
        ),
        film=Film(
            alpha=0.12, f0=COAT * normal_reflectance(INDEX), wet_from=-9.0, relief=1.0,
            dull_alpha=ROUGHNESS**2,
        ),
        optics=Optics(vignette=1.0, bounce=0.15),
        exposure=Exposure(middle=0.16, bright=0.5, knee=0.6),
    )  # fmt: skip
